#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/ops/counted.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/strided.h"

namespace skiff {
namespace {

/// Slices by their elements in order, NaN the largest of all and equal to itself; -1, 0, 1.
template <typename T>
int compare(const void* x, const AxisSplit& s, std::int64_t a, std::int64_t b) noexcept {
  const T* from = static_cast<const T*>(x);
  for (std::int64_t o = 0; o < s.outer; ++o)
    for (std::int64_t i = 0; i < s.inner; ++i) {
      const T* row = from + o * s.extent * s.inner + i;
      const Compute<T> left = load(row[a * s.inner]), right = load(row[b * s.inner]);
      if constexpr (!std::is_integral_v<T>) {
        const bool left_nan = std::isnan(left), right_nan = std::isnan(right);
        if (left_nan != right_nan) return left_nan ? 1 : -1;
        if (left_nan) continue;
      }
      if (left != right) return left < right ? -1 : 1;
    }
  return 0;
}

template <typename T>
void copy_slice(const void* x, void* y, const AxisSplit& s, std::int64_t count, std::int64_t from,
                std::int64_t to) noexcept {
  for (std::int64_t o = 0; o < s.outer; ++o)
    std::copy_n(static_cast<const T*>(x) + (o * s.extent + from) * s.inner, s.inner,
                static_cast<T*>(y) + (o * count + to) * s.inner);
}

class UniqueKernel final : public Kernel {
 public:
  UniqueKernel(const KernelSpec& spec, const fb::UniqueAttrs& attrs)
      : outputs_(spec.outputs.size()),
        room_(room_for(spec, most_unique(spec.node))),
        sorted_(attrs.sorted()) {
    const TensorInfo& x = spec.input(0);
    split_ = split_or_flat(spec.node, x.shape, attrs.axis());
    dispatch(spec.node, dtype_to_compare(x.dtype), NumericTypes{}, [&](auto type) {
      using T = typename decltype(type)::type;
      compare_ = &compare<T>;
      copy_ = &copy_slice<T>;
    });
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(5 * split_.extent) * sizeof(std::int64_t);
  }

  Status run(const RunArgs& args) noexcept override {
    const std::int64_t n = split_.extent;
    auto* order = static_cast<std::int64_t*>(args.workspace);  // slices, equal ones together
    std::int64_t *group_of = order + n, *first = group_of + n, *times = first + n,
                 *rank = times + n;
    const std::int64_t count = group(args.inputs[0], order, group_of, first, times);
    const Status status = report_count(args, count, room_);
    if (!status.ok()) return status;
    // `order` serves again: the groups in the order of the results.
    std::iota(order, order + count, std::int64_t{0});
    if (!sorted_)
      std::sort(order, order + count, [&](auto a, auto b) { return first[a] < first[b]; });
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t g = order[i];
      rank[g] = i;
      copy_(args.inputs[0], args.outputs[0], split_, count, first[g], i);
      if (outputs_ > 1) args.output<std::int64_t>(1)[i] = first[g];
      if (outputs_ > 3) args.output<std::int64_t>(3)[i] = times[g];
    }
    for (std::int64_t i = 0; outputs_ > 2 && i < n; ++i)
      args.output<std::int64_t>(2)[i] = rank[group_of[i]];
    return {};
  }

 private:
  /// Numbers the groups of equal slices in rising order; the number of groups.
  std::int64_t group(const void* x, std::int64_t* order, std::int64_t* group_of,
                     std::int64_t* first, std::int64_t* times) const noexcept {
    const std::int64_t n = split_.extent;
    std::iota(order, order + n, std::int64_t{0});
    std::sort(order, order + n, [&](std::int64_t a, std::int64_t b) {
      const int way = compare_(x, split_, a, b);
      return way != 0 ? way < 0 : a < b;
    });
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      if (i == 0 || compare_(x, split_, order[i - 1], order[i]) != 0) {
        first[count] = order[i];
        times[count++] = 0;
      }
      ++times[count - 1];
      group_of[order[i]] = count - 1;
    }
    return count;
  }

  AxisSplit split_;
  std::size_t outputs_;
  std::int64_t room_;
  bool sorted_;
  int (*compare_)(const void*, const AxisSplit&, std::int64_t, std::int64_t) noexcept = nullptr;
  void (*copy_)(const void*, void*, const AxisSplit&, std::int64_t, std::int64_t,
                std::int64_t) noexcept = nullptr;
};

}  // namespace

KernelPtr make_unique_cpu(const KernelSpec& spec) {
  return make_kernel<UniqueKernel>(spec.memory, spec, spec.node.attrs<fb::UniqueAttrs>());
}

}  // namespace skiff
