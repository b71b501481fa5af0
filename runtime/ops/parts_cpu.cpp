#include "runtime/ops/parts_cpu.h"

#include "runtime/core/checked.h"

namespace skiff {

std::size_t PartsKernel::packed_bytes(int input) const noexcept {
  const PartOperand o = find_part_operand(used_, input);
  return kernels_[o.part] == nullptr ? 0 : kernels_[o.part]->packed_bytes(o.input);
}

std::size_t PartsKernel::pack_scratch_bytes(int input) const noexcept {
  const PartOperand o = find_part_operand(used_, input);
  return kernels_[o.part]->pack_scratch_bytes(o.input);
}

std::uint64_t PartsKernel::pack_key(int input) const noexcept {
  const PartOperand o = find_part_operand(used_, input);
  return kernels_[o.part]->pack_key(o.input);
}

void PartsKernel::pack(int input, ConstantReader& reader, std::span<std::byte> packed,
                       std::span<std::byte> scratch) {
  const PartOperand o = find_part_operand(used_, input);
  kernels_[o.part]->pack(o.input, reader, packed, scratch);
}

void PartsKernel::set_kernel(int part, KernelPtr kernel) noexcept {
  flops_ = checked_add(flops_, kernel->flops()).value_or(INT64_MAX);
  kernels_[at(part)] = std::move(kernel);
}

}  // namespace skiff
