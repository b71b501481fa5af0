#pragma once

#include <array>

#include "runtime/ops/kernel.h"
#include "runtime/ops/parts.h"

namespace skiff {

/// A kernel of a node made of parts: a kernel a part, which packs the constants the part takes.
class PartsKernel : public Kernel {
 public:
  std::size_t packed_bytes(int input) const noexcept final;
  std::size_t pack_scratch_bytes(int input) const noexcept final;
  std::uint64_t pack_key(int input) const noexcept final;
  void pack(int input, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) final;
  std::int64_t flops() const noexcept final { return flops_; }

 protected:
  /// `used` must outlive this.
  explicit PartsKernel(std::span<const Part> used) noexcept : used_(used) {}

  static std::size_t at(int i) noexcept { return static_cast<std::size_t>(i); }
  /// To be called for each part in turn; one without a kernel has no constants to pack.
  void set_kernel(int part, KernelPtr kernel) noexcept;
  Kernel& kernel(int part) const noexcept { return *kernels_[at(part)]; }

 private:
  std::span<const Part> used_;
  std::array<KernelPtr, PartsView::kMaxParts> kernels_;
  std::int64_t flops_ = 0;
};

}  // namespace skiff
