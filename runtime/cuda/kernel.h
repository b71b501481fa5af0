#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/core/tensor_info.h"
#include "runtime/cuda/device.h"
#include "runtime/ops/op.h"

namespace skiff::cuda {

/// The stored bytes of one constant, front to back. Throws Error.
class Reader {
 public:
  explicit Reader(const skiff_reader& reader) noexcept : reader_(reader) {}
  void read(std::span<std::byte> to);

 private:
  const skiff_reader& reader_;
};

/// What a kernel is launched with; all pointers are the GPU's.
struct LaunchArgs {
  Device& device;
  const skiff_launch& launch;

  template <typename T>
  const T* input(int i) const noexcept {
    return static_cast<const T*>(launch.inputs[i]);
  }
  template <typename T>
  T* output(int i) const noexcept {
    return static_cast<T*>(launch.outputs[i]);
  }
  void* workspace() const noexcept { return launch.workspace; }
  template <typename T>
  const T* tables() const noexcept {
    return static_cast<const T*>(launch.tables);
  }
  std::int32_t* bad_value() const noexcept { return launch.bad_value; }
  /// Where a kernel that counts its results writes their number, of all that it would have.
  std::int64_t* count() const noexcept { return launch.count; }
  cudaStream_t stream() const noexcept { return device.stream(); }
};

/// One node bound to a GPU. The constructor decides everything and may throw; enqueue() is called
/// while loading only: to run once, then to be recorded.
class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  virtual std::size_t workspace_bytes() const noexcept { return 0; }
  /// The kernel's own form of constant input i, or of its tables (i = -1).
  virtual skiff_constant_form constant_form(int /*input*/) const noexcept { return {}; }
  virtual void pack(int /*input*/, Reader& /*reader*/, std::span<std::byte> /*packed*/,
                    std::span<std::byte> /*scratch*/) {}
  /// Output 0 may lie on input i.
  virtual bool can_overwrite(int /*input*/) const noexcept { return false; }
  /// Puts the work on the device's stream. Throws Error.
  virtual void enqueue(const LaunchArgs& args) = 0;

  virtual std::int64_t flops() const noexcept { return 0; }
  virtual const char* algorithm() const noexcept { return "own"; }
  virtual bool tensor_cores() const noexcept { return false; }
};

/// Destroys without freeing: kernels live in their session's memory.
struct KernelDeleter {
  void operator()(Kernel* kernel) const noexcept { kernel->~Kernel(); }
};
using KernelPtr = std::unique_ptr<Kernel, KernelDeleter>;

/// Everything a kernel's constructor may use.
struct KernelSpec {
  const NodeView& node;
  std::span<const TensorInfo> outputs;
  Device& device;
  std::pmr::memory_resource& memory;          ///< lives as long as the kernel
  std::uint64_t most_workspace = UINT64_MAX;  ///< algorithms that take more are passed over
  std::string_view choice = {};               ///< the algorithm to take; empty: the first
  bool exact = false;                         ///< refuse where the choice is not to be had
  bool tf32 = false;                          ///< products of float32 may round to TF32

  const TensorInfo& input(int i) const noexcept { return node.input(i); }
  const TensorInfo& output(int i) const noexcept { return outputs[static_cast<std::size_t>(i)]; }
};

template <typename K, typename... Args>
KernelPtr make_kernel(std::pmr::memory_resource& memory, Args&&... args) {
  void* place = memory.allocate(sizeof(K), alignof(K));
  return KernelPtr(new (place) K(std::forward<Args>(args)...));
}

/// What can be chosen for a node; no names: there is no choice.
struct Choices {
  std::string group;  ///< everything about the node that bears on how fast its algorithms are
  std::vector<std::string> names;
};
/// The algorithms that KernelSpec::choice may name, `most` of each kind.
Choices list_choices(const KernelSpec& spec, int most);

/// Makes the kernel of a node. Throws Error{unsupported} with the reason when there is none here.
KernelPtr make_kernel(const KernelSpec& spec);

}  // namespace skiff::cuda
