#include "runtime/ops/block.h"
#include "runtime/ops/index_tuples.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

class GatherNdKernel final : public Kernel {
 public:
  explicit GatherNdKernel(const KernelSpec& spec)
      : index_type_(spec.input(1).dtype),
        batch_(static_cast<int>(spec.node.attrs<fb::GatherAttrs>().batch_dims())),
        tuples_(spec.input(0).shape, spec.input(1).shape, batch_) {
    const Shape& indices = spec.input(1).shape;
    const auto size = static_cast<std::int64_t>(size_of(spec.input(0).dtype));
    per_batch_ = indices.elements(batch_, indices.rank() - 1);
    count_ = indices.elements(0, batch_) * per_batch_;
    batch_bytes_ = spec.input(0).shape.elements(batch_, spec.input(0).shape.rank()) * size;
    block_ = tuples_.block() * size;
  }

  Status run(const RunArgs& args) noexcept override {
    if (block_ == 0) return {};
    const Indices indices(args.inputs[1], index_type_);
    IndexFault fault;
    parallel_chunks(args, count_, grain_for(7 + copy_cost(block_)), [&](auto begin, auto end) {
      with_block(block_, [&](auto bytes) {
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t place = tuples_.place(indices, i);
          if (place < 0) return fault.set();
          move_block<decltype(bytes)::value>(
              args.output<std::byte>(0) + i * block_,
              args.input<std::byte>(0) + i / per_batch_ * batch_bytes_ + place * block_, block_);
        }
      });
    });
    return fault.status();
  }

 private:
  DType index_type_;
  int batch_;
  IndexTuples tuples_;
  std::int64_t per_batch_ = 1, count_ = 0;
  std::int64_t batch_bytes_ = 0, block_ = 0;
};

}  // namespace

KernelPtr make_gather_nd_cpu(const KernelSpec& spec) {
  return make_kernel<GatherNdKernel>(spec.memory, spec);
}

}  // namespace skiff
