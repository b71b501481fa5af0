#include "runtime/ops/block.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/strided.h"

namespace skiff {
namespace {

class GatherElementsKernel final : public Kernel {
 public:
  explicit GatherElementsKernel(const KernelSpec& spec)
      : index_type_(spec.input(1).dtype),
        size_(static_cast<std::int64_t>(size_of(spec.input(0).dtype))),
        empty_(spec.input(1).elements() == 0) {
    const Shape& x = spec.input(0).shape;
    const int axis = static_cast<int>(spec.node.attrs<fb::GatherAttrs>().axis());
    Strides strides = row_major(x);
    extent_ = x[axis];
    stride_ = strides[at(axis)];
    strides[at(axis)] = 0;
    walk_ = StridedLoop<1>(spec.input(1).shape, {strides});
  }

  Status run(const RunArgs& args) noexcept override {
    if (empty_) return {};
    const Indices indices(args.inputs[1], index_type_);
    IndexFault fault;
    const std::int64_t inner = walk_.inner();
    parallel_chunks(args, walk_.rows(), grain_for(4 * inner), [&](auto begin, auto end) {
      Odometer<1> row(walk_, begin);
      for (std::int64_t r = begin; r < end; ++r, row.next())
        gather_row(args, indices, row.offset(0), r * inner, fault);
    });
    return fault.status();
  }

 private:
  void gather_row(const RunArgs& args, const Indices& indices, std::int64_t from,
                  std::int64_t first, IndexFault& fault) const noexcept {
    const auto* x = args.input<std::byte>(0);
    auto* y = args.output<std::byte>(0);
    with_block(size_, [&](auto bytes) {
      for (std::int64_t i = 0; i < walk_.inner(); ++i, from += walk_.inner_stride(0)) {
        const std::int64_t index = indices.wrapped(first + i, extent_);
        if (index < 0) return fault.set();
        move_block<decltype(bytes)::value>(y + (first + i) * size_,
                                           x + (from + index * stride_) * size_, size_);
      }
    });
  }

  DType index_type_;
  std::int64_t size_;
  bool empty_;
  StridedLoop<1> walk_;  // the indices' shape over the operand, its own axis standing still
  std::int64_t extent_ = 0, stride_ = 0;
};

}  // namespace

KernelPtr make_gather_elements_cpu(const KernelSpec& spec) {
  return make_kernel<GatherElementsKernel>(spec.memory, spec);
}

}  // namespace skiff
