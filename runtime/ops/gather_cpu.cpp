#include "runtime/ops/block.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

class GatherKernel final : public Kernel {
 public:
  explicit GatherKernel(const KernelSpec& spec) : index_type_(spec.input(1).dtype) {
    const auto& attrs = spec.node.attrs<fb::GatherAttrs>();
    const Shape &x = spec.input(0).shape, &indices = spec.input(1).shape;
    const int axis = static_cast<int>(attrs.axis()), batch = static_cast<int>(attrs.batch_dims());
    batches_ = x.elements(0, batch);
    outer_ = x.elements(batch, axis);
    extent_ = x[axis];
    count_ = indices.elements(batch, indices.rank());
    block_ =
        x.elements(axis + 1, x.rank()) * static_cast<std::int64_t>(size_of(spec.input(0).dtype));
  }

  Status run(const RunArgs& args) noexcept override {
    const Indices indices(args.inputs[1], index_type_);
    if (block_ == 0) return {};
    IndexFault fault;
    const std::int64_t rows = batches_ * outer_ * count_;
    parallel_chunks(args, rows, grain_for(1 + copy_cost(block_)), [&](auto begin, auto end) {
      for (std::int64_t i = begin; i < end;) {
        const std::int64_t table = i / count_, first = i % count_;
        const std::int64_t stop = std::min(count_, first + end - i);
        gather(args, indices, table, first, stop, fault);
        i += stop - first;
      }
    });
    return fault.status();
  }

 private:
  /// Entries [first, stop) of one of the batches * outer tables.
  void gather(const RunArgs& args, const Indices& indices, std::int64_t table, std::int64_t first,
              std::int64_t stop, IndexFault& fault) const noexcept {
    const std::byte* from = args.input<std::byte>(0) + table * extent_ * block_;
    std::byte* to = args.output<std::byte>(0) + table * count_ * block_;
    const std::int64_t row = table / outer_ * count_;
    with_block(block_, [&](auto bytes) {
      for (std::int64_t j = first; j < stop; ++j) {
        const std::int64_t index = indices.wrapped(row + j, extent_);
        if (index < 0) return fault.set();
        move_block<decltype(bytes)::value>(to + j * block_, from + index * block_, block_);
      }
    });
  }

  DType index_type_;
  std::int64_t batches_ = 1, outer_ = 1, extent_ = 1, count_ = 1;
  std::int64_t block_ = 0;  // bytes an index brings
};

}  // namespace

KernelPtr make_gather_cpu(const KernelSpec& spec) {
  return make_kernel<GatherKernel>(spec.memory, spec);
}

}  // namespace skiff
