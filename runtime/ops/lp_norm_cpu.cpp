#include <algorithm>
#include <cmath>

#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/strips.h"

namespace skiff {
namespace {

struct Plan {
  AxisSplit split;
  bool squares;
  double epsilon;
};

/// y = x / max(norm, epsilon) down the columns; a norm of 0 gives 0, as ONNX defines it.
template <typename T>
void run_strip(const Plan& p, const T* x, T* y, std::int64_t columns) {
  double norm[kColumns];
  std::fill_n(norm, columns, 0.0);
  for (std::int64_t i = 0; i < p.split.extent; ++i)
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto v = static_cast<double>(load(x[i * p.split.inner + c]));
      norm[c] += p.squares ? v * v : std::abs(v);
    }
  for (std::int64_t c = 0; c < columns; ++c) {
    const double length = p.squares ? std::sqrt(norm[c]) : norm[c];
    norm[c] = std::max(length, p.epsilon);
    if (norm[c] == 0) norm[c] = 1;
  }
  for (std::int64_t i = 0; i < p.split.extent; ++i)
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t at = i * p.split.inner + c;
      y[at] = T(static_cast<Compute<T>>(static_cast<double>(load(x[at])) / norm[c]));
    }
}

template <typename T>
void run_strips(const Plan& p, const RunArgs& args) {
  for_strips(args, p.split, 4, [&](std::int64_t at, std::int64_t columns) {
    run_strip(p, args.input<T>(0) + at, args.output<T>(0) + at, columns);
  });
}

}  // namespace

KernelPtr make_lp_norm_cpu(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::LpNormAttrs>();
  const Plan plan{split_at(spec.input(0).shape, static_cast<int>(attrs.axis())), attrs.p() == 2,
                  static_cast<double>(attrs.epsilon())};
  const auto run = dispatch(spec.node, spec.input(0).dtype, FloatTypes{},
                            [](auto type) { return &run_strips<typename decltype(type)::type>; });
  return make_kernel<LaneKernel<Plan>>(spec.memory, plan, run);
}

}  // namespace skiff
