#include <cstring>

#include "runtime/ops/index_tuples.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/scatter.h"

namespace skiff {
namespace {

/// One thread: which of several updates of an element comes last is part of the result.
class ScatterNdKernel final : public Kernel {
 public:
  explicit ScatterNdKernel(const KernelSpec& spec)
      : index_type_(spec.input(1).dtype),
        tuples_(spec.input(0).shape, spec.input(1).shape, 0),
        combine_(find_combine(spec.node, spec.input(0).dtype,
                              spec.node.attrs<fb::ScatterAttrs>().reduction())),
        count_(spec.input(1).shape.elements(0, spec.input(1).shape.rank() - 1)),
        block_(tuples_.block() * static_cast<std::int64_t>(size_of(spec.input(0).dtype))),
        bytes_(static_cast<std::size_t>(spec.input(0).bytes())) {}

  bool can_overwrite(int input, int) const noexcept override { return input == 0; }

  Status run(const RunArgs& args) noexcept override {
    auto* y = args.output<std::byte>(0);
    if (y != args.inputs[0] && bytes_ > 0) std::memcpy(y, args.inputs[0], bytes_);
    if (block_ == 0) return {};
    const Indices indices(args.inputs[1], index_type_);
    IndexFault fault;
    const auto* updates = args.input<std::byte>(2);
    for (std::int64_t i = 0; i < count_; ++i) {
      const std::int64_t place = tuples_.place(indices, i);
      if (place < 0) {
        fault.set();
        break;
      }
      combine_(y + place * block_, updates + i * block_, tuples_.block());
    }
    return fault.status();
  }

 private:
  DType index_type_;
  IndexTuples tuples_;
  Combine combine_;
  std::int64_t count_;
  std::int64_t block_;  // bytes
  std::size_t bytes_;
};

}  // namespace

KernelPtr make_scatter_nd_cpu(const KernelSpec& spec) {
  return make_kernel<ScatterNdKernel>(spec.memory, spec);
}

}  // namespace skiff
