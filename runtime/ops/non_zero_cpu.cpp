#include <algorithm>

#include "runtime/ops/counted.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/strided.h"

namespace skiff {
namespace {

template <typename T>
bool is_zero(const T& value) noexcept {
  return load(value) == Compute<T>{};
}

template <typename T>
std::int64_t count_non_zeros(const void* x, std::int64_t elements) {
  const T* from = static_cast<const T*>(x);
  return elements - std::count_if(from, from + elements, is_zero<T>);
}

/// Row `axis` of the result starts at y + axis * count.
template <typename T>
void write_indices(const void* x, const Shape& shape, std::int64_t count, std::int64_t* y) {
  const T* from = static_cast<const T*>(x);
  const int rank = shape.rank();
  const std::int64_t row = rank == 0 ? 1 : shape.back(),
                     rows = rank == 0 ? 1 : shape.elements(0, rank - 1);
  std::int64_t found = 0;
  Strides index{};
  for (std::int64_t r = 0; r < rows; ++r, from += row) {
    for (std::int64_t i = 0; i < row; ++i) {
      if (is_zero(from[i])) continue;
      for (int axis = 0; axis + 1 < rank; ++axis) y[axis * count + found] = index[at(axis)];
      if (rank > 0) y[(rank - 1) * count + found] = i;
      ++found;
    }
    for (int axis = rank - 2; axis >= 0 && ++index[at(axis)] == shape[axis]; --axis)
      index[at(axis)] = 0;
  }
}

class NonZeroKernel final : public Kernel {
 public:
  explicit NonZeroKernel(const KernelSpec& spec)
      : shape_(spec.input(0).shape), room_(room_for(spec, most_non_zero(spec.node))) {
    dispatch(spec.node, dtype_to_compare(spec.input(0).dtype), NumericTypes{}, [&](auto type) {
      using T = typename decltype(type)::type;
      count_ = &count_non_zeros<T>;
      write_ = &write_indices<T>;
    });
  }

  Status run(const RunArgs& args) noexcept override {
    const std::int64_t elements = shape_.elements();
    const std::int64_t count = elements == 0 ? 0 : count_(args.inputs[0], elements);
    const Status status = report_count(args, count, room_);
    if (status.ok() && count > 0)
      write_(args.inputs[0], shape_, count, args.output<std::int64_t>(0));
    return status;
  }

 private:
  Shape shape_;
  std::int64_t room_;
  std::int64_t (*count_)(const void*, std::int64_t) = nullptr;
  void (*write_)(const void*, const Shape&, std::int64_t, std::int64_t*) = nullptr;
};

}  // namespace

KernelPtr make_non_zero_cpu(const KernelSpec& spec) {
  return make_kernel<NonZeroKernel>(spec.memory, spec);
}

}  // namespace skiff
