#include <algorithm>

#include "runtime/core/checked.h"
#include "runtime/ops/kernel.h"
#include "runtime/ops/squeeze_excite.h"

namespace skiff {
namespace {

using Role = SqueezeExcite;

/// The parts' own kernels one after another: a session without a GPU leaves the nodes as they are,
/// so this is what a GPU's session falls back on.
class SqueezeExciteKernel final : public Kernel {
 public:
  explicit SqueezeExciteKernel(const KernelSpec& spec) : net_(spec.node.attrs<SqueezeExcite>()) {
    const PartsView view(spec.node, net_.used()), widest(spec.widest(), net_.used());
    for (int p = 0; p < net_.count; ++p) {
      KernelPtr& part = parts_[at(p)];
      part = find_op(net_.parts[at(p)].op)
                 ->make_cpu({.node = view.part(p),
                             .outputs = {&view.result(p), 1},
                             .table = spec.table,
                             .threads = spec.threads,
                             .memory = spec.memory,
                             .largest = &widest.part(p),
                             .frugal = spec.frugal});
      flops_ = checked_add(flops_, part->flops()).value_or(INT64_MAX);
      scratch_ = std::max(scratch_, aligned(part->workspace_bytes()));
      if (p < Role::scale)
        small_[at(p)] = aligned(static_cast<std::size_t>(view.result(p).bytes()));
    }
  }

  std::size_t workspace_bytes() const noexcept override {
    return scratch_ + small_[Role::mean] + small_[Role::reduce] + small_[Role::expand];
  }

  std::size_t packed_bytes(int input) const noexcept override {
    const PartOperand o = find_part_operand(net_.used(), input);
    return parts_[o.part]->packed_bytes(o.input);
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    const PartOperand o = find_part_operand(net_.used(), input);
    return parts_[o.part]->pack_scratch_bytes(o.input);
  }
  std::uint64_t pack_key(int input) const noexcept override {
    const PartOperand o = find_part_operand(net_.used(), input);
    return parts_[o.part]->pack_key(o.input);
  }
  void pack(int input, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    const PartOperand o = find_part_operand(net_.used(), input);
    parts_[o.part]->pack(o.input, reader, packed, scratch);
  }

  /// The sum is made over the product, in the result's memory.
  Status run(const RunArgs& args) noexcept override {
    std::byte* small = static_cast<std::byte*>(args.workspace) + scratch_;
    const void* before = nullptr;
    for (int p = 0; p < net_.count; ++p) {
      const Part& part = net_.parts[at(p)];
      std::array<const void*, 4> inputs{};
      for (std::size_t i = 0; i < inputs.size(); ++i)
        inputs[i] = part.operands[i] == Part::kPrevious ? before
                    : part.operands[i] < 0              ? nullptr
                                                        : args.inputs[at(part.operands[i])];
      void* result = p < Role::scale ? small : args.outputs[0];
      const Status status =
          parts_[at(p)]->run({inputs.data(), &result, args.workspace, args.pool, nullptr});
      if (!status.ok()) return status;
      before = result;
      if (p < Role::scale) small += small_[at(p)];
    }
    return {};
  }

  std::int64_t flops() const noexcept override { return flops_; }
  const char* algorithm() const noexcept override { return "part by part"; }

 private:
  static std::size_t at(int i) noexcept { return static_cast<std::size_t>(i); }
  static std::size_t aligned(std::size_t bytes) noexcept { return (bytes + 63) / 64 * 64; }

  const SqueezeExcite& net_;
  std::array<KernelPtr, Role::kMaxParts> parts_;
  std::array<std::size_t, Role::scale> small_{};  // bytes of the results before the product
  std::size_t scratch_ = 0;                       // of any part
  std::int64_t flops_ = 0;
};

}  // namespace

KernelPtr make_squeeze_excite_cpu(const KernelSpec& spec) {
  return make_kernel<SqueezeExciteKernel>(spec.memory, spec);
}

}  // namespace skiff
