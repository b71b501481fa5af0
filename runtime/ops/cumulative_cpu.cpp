#include <algorithm>

#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/strips.h"
#include "runtime/ops/unary_math.h"

namespace skiff {
namespace {

struct Plan {
  AxisSplit split;
  bool product;
  bool exclusive;
  bool reverse;
};

/// What is added up: doubles for floats, wrapping integers else.
template <typename T>
using Total = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

template <typename T>
void run_strip(const Plan& p, const T* x, T* y, std::int64_t columns) {
  Total<T> total[kColumns];
  std::fill_n(total, columns, static_cast<Total<T>>(p.product ? 1 : 0));
  const auto put = [](T& to, Total<T> v) {
    if constexpr (std::is_integral_v<T>)
      to = static_cast<T>(v);
    else
      to = T(static_cast<Compute<T>>(v));
  };
  for (std::int64_t i = 0; i < p.split.extent; ++i) {
    const std::int64_t at = (p.reverse ? p.split.extent - 1 - i : i) * p.split.inner;
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto v = static_cast<Total<T>>(load(x[at + c]));
      if (p.exclusive) put(y[at + c], total[c]);
      total[c] = p.product ? total[c] * v : total[c] + v;
      if (!p.exclusive) put(y[at + c], total[c]);
    }
  }
}

template <typename T>
void run_cumulative(const Plan& p, const RunArgs& args) {
  for_strips(args, p.split, 2, [&](std::int64_t at, std::int64_t columns) {
    run_strip(p, args.input<T>(0) + at, args.output<T>(0) + at, columns);
  });
}

}  // namespace

KernelPtr make_cumulative_cpu(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::CumulativeAttrs>();
  const Plan plan{split_at(spec.input(0).shape, static_cast<int>(attrs.axis())),
                  attrs.function() == fb::CumulativeFunction::product, attrs.exclusive(),
                  attrs.reverse()};
  const auto run = dispatch(spec.node, spec.input(0).dtype, NumericTypes{}, [](auto type) {
    return &run_cumulative<typename decltype(type)::type>;
  });
  return make_kernel<LaneKernel<Plan>>(spec.memory, plan, run);
}

}  // namespace skiff
