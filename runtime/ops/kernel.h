#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <new>
#include <span>
#include <utility>

#include <skiff/error.h>

#include "runtime/core/tensor_info.h"
#include "runtime/ops/op.h"

namespace skiff {

namespace cpu {
class ThreadPool;
struct KernelTable;
}  // namespace cpu

/// The stored bytes of one constant, front to back. read() throws Error{io} or, at the end,
/// Error{invalid_model} when the digest does not match.
class ConstantReader {
 public:
  virtual ~ConstantReader() = default;
  virtual void read(std::span<std::byte> to) = 0;
};

/// What a kernel gets on each run. Pointers are 64-byte aligned at least and never null for present
/// operands; a constant that the kernel packs arrives in its packed form.
struct RunArgs {
  const void* const* inputs = nullptr;
  void* const* outputs = nullptr;
  void* workspace = nullptr;  ///< workspace_bytes() of scratch, contents undefined
  cpu::ThreadPool& pool;
  std::int64_t* count = nullptr;  ///< where an operator that counts its results says how many

  template <typename T>
  const T* input(int i) const noexcept {
    return static_cast<const T*>(inputs[i]);
  }
  template <typename T>
  T* output(int i) const noexcept {
    return static_cast<T*>(outputs[i]);
  }
};

/// What a kernel costs over the one with the least memory (see KernelSpec::frugal), and what it
/// saves: bytes of packed constants, and time in vector multiply-adds by the cost model.
struct Bargain {
  std::int64_t bytes = 0;
  std::int64_t saved = 0;
};

/// One node bound to a device. The constructor decides everything (it may throw, search and
/// allocate from KernelSpec::memory); run() only computes.
class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  /// Scratch for one run, planned into the arena.
  virtual std::size_t workspace_bytes() const noexcept { return 0; }

  /// Bytes of the kernel's own form of constant input i; 0: it takes the stored form.
  virtual std::size_t packed_bytes(int /*input*/) const noexcept { return 0; }
  /// Scratch that pack() wants, freed after load.
  virtual std::size_t pack_scratch_bytes(int /*input*/) const noexcept { return 0; }
  /// Reads constant input i once, front to back, into `packed` (256-byte aligned). Two kernels with
  /// the same pack_key(i) write the same bytes for the same constant and share them.
  virtual void pack(int /*input*/, ConstantReader& /*reader*/, std::span<std::byte> /*packed*/,
                    std::span<std::byte> /*scratch*/) {}
  virtual std::uint64_t pack_key(int /*input*/) const noexcept { return 0; }

  /// True when output may lie on input's memory: each element is read before its place is written,
  /// for any partition of the work.
  virtual bool can_overwrite(int /*input*/, int /*output*/) const noexcept { return false; }

  /// Computes. No allocation, no exception; bad_value for operand values that are out of range.
  virtual Status run(const RunArgs& args) noexcept = 0;

  /// Floating-point operations of one run (a multiply-add is two), for profile; 0: not counted.
  virtual std::int64_t flops() const noexcept { return 0; }
  /// Nothing where there is no choice.
  virtual Bargain bargain() const noexcept { return {}; }
  /// Which algorithm was chosen, for profile and inspect; lives for ever.
  virtual const char* algorithm() const noexcept { return "generic"; }
};

/// Destroys without freeing: kernels live in their session's memory resource.
struct KernelDeleter {
  void operator()(Kernel* kernel) const noexcept { kernel->~Kernel(); }
};
using KernelPtr = std::unique_ptr<Kernel, KernelDeleter>;

/// Everything a kernel's constructor may use.
struct KernelSpec {
  const NodeView& node;
  std::span<const TensorInfo> outputs;
  const cpu::KernelTable& table;      ///< hot kernels of the chosen instruction set
  int threads = 1;                    ///< workers incl. the caller; never changes a result
  std::pmr::memory_resource& memory;  ///< monotonic, lives as long as the kernel
  const NodeView* largest = nullptr;  ///< the node at its largest shapes; null: `node` is that
  bool frugal = false;                ///< least memory for constants rather than least time

  /// What packed forms and the least workspace must follow. A session makes its kernels anew, in
  /// the same memory, for other shapes within a model's bounds: packed_bytes(), pack_key() and
  /// pack() must not differ between them, workspace_bytes() and what is taken of `memory` must be
  /// largest here.
  const NodeView& widest() const noexcept { return largest == nullptr ? node : *largest; }

  const TensorInfo& input(int i) const noexcept { return node.input(i); }
  const TensorInfo& output(int i) const noexcept { return outputs[static_cast<std::size_t>(i)]; }
};

template <typename K, typename... Args>
KernelPtr make_kernel(std::pmr::memory_resource& memory, Args&&... args) {
  void* place = memory.allocate(sizeof(K), alignof(K));
  return KernelPtr(new (place) K(std::forward<Args>(args)...));
}

}  // namespace skiff
