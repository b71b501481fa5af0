#include <algorithm>
#include <cmath>

#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/strided.h"

namespace skiff {
namespace {

struct Plan {
  AxisSplit split;
  bool smallest;
  bool last;  ///< the last of equal ones wins
  bool int64;
};

/// Whether v takes the place of the best so far. A NaN beats every number, as in numpy.
template <typename V>
bool better(V v, V best, bool smallest, bool last) {
  if constexpr (std::is_floating_point_v<V>) {
    if (std::isnan(best)) return last && std::isnan(v);
    if (std::isnan(v)) return true;
  }
  if (v == best) return last;
  return smallest ? v < best : v > best;
}

/// Columns that are searched together: memory is read row by row.
constexpr std::int64_t kColumns = 128;

template <typename T>
void search(const Plan& p, const T* x, std::int64_t columns, std::int64_t* index) {
  Compute<T> best[kColumns];
  for (std::int64_t c = 0; c < columns; ++c) {
    best[c] = load(x[c]);
    index[c] = 0;
  }
  for (std::int64_t i = 1; i < p.split.extent; ++i) {
    const T* row = x + i * p.split.inner;
    for (std::int64_t c = 0; c < columns; ++c) {
      const Compute<T> v = load(row[c]);
      if (!better(v, best[c], p.smallest, p.last)) continue;
      best[c] = v;
      index[c] = i;
    }
  }
}

template <typename T>
void run_arg(const Plan& p, const RunArgs& args) {
  const AxisSplit& s = p.split;
  const std::int64_t strips = (s.inner + kColumns - 1) / kColumns;
  const std::int64_t cost = s.extent * std::min(kColumns, s.inner) * 2;
  parallel_chunks(
      args, s.outer * strips, grain_for(cost), [&](std::int64_t begin, std::int64_t end) {
        std::int64_t index[kColumns];
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t outer = i / strips, from = i % strips * kColumns;
          const std::int64_t columns = std::min(kColumns, s.inner - from);
          search(p, args.input<T>(0) + outer * s.extent * s.inner + from, columns, index);
          const std::int64_t to = outer * s.inner + from;
          if (p.int64) {
            std::copy_n(index, columns, args.output<std::int64_t>(0) + to);
          } else {
            for (std::int64_t c = 0; c < columns; ++c)
              args.output<std::int32_t>(0)[to + c] = static_cast<std::int32_t>(index[c]);
          }
        }
      });
}

class ArgReduceKernel final : public Kernel {
 public:
  ArgReduceKernel(const KernelSpec& spec, const fb::ArgReduceAttrs& attrs)
      : plan_{split_at(spec.input(0).shape, static_cast<int>(attrs.axis())),
              attrs.function() == fb::ArgFunction::minimum, attrs.select_last_index(),
              spec.output(0).dtype == DType::int64} {
    // Bools are searched as the bytes they are.
    const DType dtype = spec.input(0).dtype == DType::boolean ? DType::uint8 : spec.input(0).dtype;
    run_ = dispatch(spec.node, dtype, NumericTypes{},
                    [](auto type) { return &run_arg<typename decltype(type)::type>; });
  }

  Status run(const RunArgs& args) noexcept override {
    if (plan_.split.outer * plan_.split.inner > 0) run_(plan_, args);
    return {};
  }

 private:
  Plan plan_;
  void (*run_)(const Plan&, const RunArgs&) = nullptr;
};

}  // namespace

KernelPtr make_arg_reduce_cpu(const KernelSpec& spec) {
  return make_kernel<ArgReduceKernel>(spec.memory, spec, spec.node.attrs<fb::ArgReduceAttrs>());
}

}  // namespace skiff
