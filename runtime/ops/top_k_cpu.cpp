#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/strided.h"

namespace skiff {
namespace {

struct Plan {
  AxisSplit split;
  std::int64_t k;
  bool largest;
};

/// Before what: larger (or smaller) numbers, NaN as the largest of all, then lower indices. A
/// strict order of all indices, so the result is unique.
template <typename T>
struct Before {
  const T* x;
  std::int64_t step;
  bool largest;

  bool operator()(std::int64_t i, std::int64_t j) const {
    const Compute<T> a = load(x[i * step]), b = load(x[j * step]);
    if constexpr (!std::is_integral_v<T>) {
      if (std::isnan(a) != std::isnan(b)) return std::isnan(a) == largest;
      if (std::isnan(a)) return i < j;
    }
    if (a == b) return i < j;
    return largest ? a > b : a < b;
  }
};

template <typename T>
void run_lane(const Plan& p, const T* x, T* values, std::int64_t* indices, std::int64_t* order) {
  const std::int64_t n = p.split.extent, step = p.split.inner;
  std::iota(order, order + n, std::int64_t{0});
  std::partial_sort(order, order + p.k, order + n, Before<T>{x, step, p.largest});
  for (std::int64_t i = 0; i < p.k; ++i) {
    values[i * step] = x[order[i] * step];
    indices[i * step] = order[i];
  }
}

template <typename T>
void run_top_k(const Plan& p, const RunArgs& args) {
  const AxisSplit& s = p.split;
  const std::int64_t lanes = s.outer * s.inner, grain = grain_for(s.extent * 4);
  args.pool.parallel_for((lanes + grain - 1) / grain, [&](std::int64_t piece, int thread) {
    auto* order = static_cast<std::int64_t*>(args.workspace) + thread * s.extent;
    const std::int64_t end = std::min(lanes, (piece + 1) * grain);
    for (std::int64_t lane = piece * grain; lane < end; ++lane) {
      const std::int64_t outer = lane / s.inner, inner = lane % s.inner;
      const std::int64_t to = outer * p.k * s.inner + inner;
      run_lane(p, args.input<T>(0) + outer * s.extent * s.inner + inner, args.output<T>(0) + to,
               args.output<std::int64_t>(1) + to, order);
    }
  });
}

/// Sorts an array of indices of each lane as far as k; the order is the one of `sorted` always.
class TopKKernel final : public Kernel {
 public:
  TopKKernel(const KernelSpec& spec, const fb::TopKAttrs& attrs)
      : plan_{split_at(spec.input(0).shape, static_cast<int>(attrs.axis())),
              spec.output(0).shape[static_cast<int>(attrs.axis())], attrs.largest()},
        threads_(spec.threads),
        run_(dispatch(spec.node, spec.input(0).dtype, NumericTypes{},
                      [](auto type) { return &run_top_k<typename decltype(type)::type>; })) {}

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(plan_.split.extent * threads_) * sizeof(std::int64_t);
  }

  Status run(const RunArgs& args) noexcept override {
    if (plan_.split.outer * plan_.split.inner * plan_.k > 0) run_(plan_, args);
    return {};
  }

 private:
  Plan plan_;
  std::int64_t threads_;
  void (*run_)(const Plan&, const RunArgs&);
};

}  // namespace

KernelPtr make_top_k_cpu(const KernelSpec& spec) {
  return make_kernel<TopKKernel>(spec.memory, spec, spec.node.attrs<fb::TopKAttrs>());
}

}  // namespace skiff
