#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skiff/error.h>

#include "runtime/backend/api.h"
#include "runtime/ops/kernel.h"

// The core's side of backend/api.h: owners and exceptions around the table of functions.
namespace skiff::backend {

enum class MemoryKind : std::int32_t {
  device = SKIFF_MEMORY_DEVICE,
  pinned = SKIFF_MEMORY_PINNED  ///< of the host, seen by the GPU too
};

/// A block of memory of a GPU; empty when default-made or of no bytes.
class Memory {
 public:
  Memory() = default;
  Memory(const skiff_backend& table, int ordinal, MemoryKind kind, std::uint64_t bytes);
  Memory(Memory&& other) noexcept { swap(other); }
  Memory& operator=(Memory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Memory();

  std::byte* data() const noexcept { return data_; }
  /// The same memory as the GPU sees it.
  std::byte* mapped() const noexcept { return mapped_; }
  std::uint64_t size() const noexcept { return size_; }

 private:
  void swap(Memory& other) noexcept;

  const skiff_backend* table_ = nullptr;
  int ordinal_ = 0;
  MemoryKind kind_ = MemoryKind::device;
  std::byte* data_ = nullptr;
  std::byte* mapped_ = nullptr;
  std::uint64_t size_ = 0;
};

/// What a device runs with one launch.
class Program {
 public:
  Program() = default;
  Program(const skiff_backend& table, skiff_program* program) noexcept
      : table_(&table), program_(program) {}
  Program(Program&& other) noexcept
      : table_(other.table_), program_(std::exchange(other.program_, nullptr)) {}
  Program& operator=(Program&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(program_, other.program_);
    return *this;
  }
  ~Program() {
    if (program_ != nullptr) table_->destroy_program(program_);
  }
  skiff_program* get() const noexcept { return program_; }

 private:
  const skiff_backend* table_ = nullptr;
  skiff_program* program_ = nullptr;
};

/// A kernel of the GPU module. It is not run step by step but recorded into programs.
class DeviceKernel final : public Kernel {
 public:
  DeviceKernel(const skiff_backend& table, skiff_kernel* kernel, const skiff_kernel_info& info)
      : table_(table), kernel_(kernel), info_(info) {}
  ~DeviceKernel() override { table_.destroy_kernel(kernel_); }

  std::size_t workspace_bytes() const noexcept override { return info_.workspace; }
  std::size_t packed_bytes(int input) const noexcept override { return form(input).bytes; }
  std::size_t pack_scratch_bytes(int input) const noexcept override { return form(input).scratch; }
  std::uint64_t pack_key(int input) const noexcept override { return form(input).key; }
  void pack(int input, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override;
  bool can_overwrite(int input, int output) const noexcept override {
    return output == 0 && input < 32 && (info_.overwrites >> input & 1u) != 0;
  }
  Status run(const RunArgs&) noexcept override {
    return {ErrorCode::internal, "a kernel of the GPU cannot be run by the CPU"};
  }
  std::int64_t flops() const noexcept override { return info_.flops; }
  const char* algorithm() const noexcept override { return info_.algorithm; }
  bool tensor_cores() const noexcept { return info_.tensor_cores != 0; }
  skiff_kernel* get() const noexcept { return kernel_; }

 private:
  skiff_constant_form form(int input) const noexcept;

  const skiff_backend& table_;
  skiff_kernel* kernel_;
  skiff_kernel_info info_;
};

/// Which of several kernels for a node.
struct KernelWish {
  std::uint64_t most_workspace = UINT64_MAX;  ///< bytes of scratch; those with more are passed over
  const char* choice = nullptr;               ///< an algorithm's name; null: the one ranked first
  bool exact = false;                         ///< Error{unsupported} where that is not to be had
};

/// What can be chosen for a node; no names: there is no choice.
struct Choices {
  std::string group;  ///< of equal texts the same algorithms are the best
  std::vector<std::string> names;
};

struct DeviceOptions {
  void* stream = nullptr;        ///< see SessionOptions
  bool tf32 = false;             ///< see SessionOptions
  std::string code_folder = {};  ///< keeps code that is compiled while loading; empty: none does
};

/// One session's hold on a GPU. All functions but run() throw Error.
class Device {
 public:
  /// Finds out whether GPU `ordinal` can be used; Error{device} says what is missing.
  Device(const skiff_backend& table, int ordinal, const DeviceOptions& options = {});
  ~Device() { table_.close(device_); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const skiff_device_info& info() const noexcept { return info_; }
  /// Inputs and outputs need no copy: the GPU works in the host's memory.
  bool integrated() const noexcept { return info_.integrated != 0; }
  int ordinal() const noexcept { return ordinal_; }
  /// Bytes that context and libraries take now: measured; 0 where that cannot be told.
  std::uint64_t footprint() const noexcept { return table_.footprint(ordinal_); }

  Memory allocate(MemoryKind kind, std::uint64_t bytes) const {
    return Memory(table_, ordinal_, kind, bytes);
  }
  void upload(void* to, std::span<const std::byte> from);

  /// Error{unsupported}: the GPU has no kernel for this node, for that reason.
  KernelPtr make_kernel(const NodeView& node, std::span<const TensorInfo> outputs,
                        const KernelWish& wish, std::pmr::memory_resource& memory);

  /// The algorithms that KernelWish may name, `most` of each kind.
  Choices choices(const NodeView& node, std::span<const TensorInfo> outputs, int most);

  /// From here to end(), kernels and copies are recorded, or run at once.
  void begin(bool record);
  void enqueue(const DeviceKernel& kernel, const skiff_launch& launch);
  void copy(void* to, const void* from, std::uint64_t bytes, bool to_device);
  /// A program of what was recorded; empty when that is nothing.
  Program end();

  /// Milliseconds of one launch, the median of several; what `flush` holds is overwritten before
  /// each.
  float time(const Program& program, const Memory& flush, int runs);
  /// One launch, one wait, no allocation.
  Status run(const Program& program) noexcept;

 private:
  struct CrossingNode;
  void check(std::int32_t code) const;

  const skiff_backend& table_;
  int ordinal_;
  bool tf32_;
  skiff_device* device_ = nullptr;
  skiff_device_info info_{};
  skiff_backend_error error_{};
};

}  // namespace skiff::backend
