#include <cstring>

#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/scatter.h"
#include "runtime/ops/strided.h"

namespace skiff {
namespace {

/// One thread: which of several updates of an element comes last is part of the result.
class ScatterElementsKernel final : public Kernel {
 public:
  explicit ScatterElementsKernel(const KernelSpec& spec)
      : index_type_(spec.input(1).dtype),
        size_(static_cast<std::int64_t>(size_of(spec.input(0).dtype))),
        bytes_(static_cast<std::size_t>(spec.input(0).bytes())),
        empty_(spec.input(1).elements() == 0) {
    const Shape& x = spec.input(0).shape;
    const auto& attrs = spec.node.attrs<fb::ScatterAttrs>();
    combine_ = find_combine(spec.node, spec.input(0).dtype, attrs.reduction());
    const int axis = static_cast<int>(attrs.axis());
    Strides strides = row_major(x);
    extent_ = x[axis];
    stride_ = strides[at(axis)];
    strides[at(axis)] = 0;
    walk_ = StridedLoop<1>(spec.input(1).shape, {strides});
  }

  bool can_overwrite(int input, int) const noexcept override { return input == 0; }

  Status run(const RunArgs& args) noexcept override {
    auto* y = args.output<std::byte>(0);
    if (y != args.inputs[0] && bytes_ > 0) std::memcpy(y, args.inputs[0], bytes_);
    if (empty_) return {};
    const Indices indices(args.inputs[1], index_type_);
    IndexFault fault;
    Odometer<1> row(walk_, 0);
    const auto* update = args.input<std::byte>(2);
    for (std::int64_t r = 0, n = 0; r < walk_.rows(); ++r, row.next()) {
      for (std::int64_t i = 0; i < walk_.inner(); ++i, ++n, update += size_) {
        const std::int64_t index = indices.wrapped(n, extent_);
        if (index < 0) {
          fault.set();
          return fault.status();
        }
        const std::int64_t place = row.offset(0) + i * walk_.inner_stride(0) + index * stride_;
        combine_(y + place * size_, update, 1);
      }
    }
    return {};
  }

 private:
  DType index_type_;
  std::int64_t size_;
  std::size_t bytes_;
  bool empty_;
  Combine combine_ = nullptr;
  StridedLoop<1> walk_;  // the indices' shape over the operand, its own axis standing still
  std::int64_t extent_ = 0, stride_ = 0;
};

}  // namespace

KernelPtr make_scatter_elements_cpu(const KernelSpec& spec) {
  return make_kernel<ScatterElementsKernel>(spec.memory, spec);
}

}  // namespace skiff
