#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <skiff/allocator.h>

namespace skiff {

enum class DeviceKind : std::int32_t { automatic = 0, cpu = 1, cuda = 2 };

/// Short stable name, e.g. "cpu".
constexpr const char* name_of(DeviceKind kind) noexcept {
  return kind == DeviceKind::cpu ? "cpu" : kind == DeviceKind::cuda ? "cuda" : "auto";
}

struct LoadOptions {
  bool digests = true;             ///< check the SHA-256 of all that is read
  std::uint64_t memory_limit = 0;  ///< bytes that model and session together may take; 0: no limit
  Allocator allocator = {};        ///< for the model and its packed weights
};

enum class LogLevel : std::int32_t { error = 0, warning = 1, info = 2, debug = 3 };

/// Receives what a session has to say while it is made; the library itself prints nothing.
struct Log {
  void (*function)(void* user, LogLevel level, const char* message) = nullptr;
  void* user = nullptr;
};

struct SessionOptions {
  DeviceKind device = DeviceKind::automatic;
  int threads = 1;                 ///< incl. the one that calls run(); never changes a result
  bool strict_gpu = false;         ///< fail instead of falling back to the CPU
  const char* isa = nullptr;       ///< "avx2", "avx512", "neon" ...; null: the best one here
  std::uint64_t memory_limit = 0;  ///< bytes for model and session; 0: the model's limit
  Allocator allocator = {};        ///< for everything of the session
  /// The arena's memory, 256-byte aligned and at least MemoryReport::arena bytes; empty: allocated.
  std::span<std::byte> arena = {};
  Log log = {};
  int gpu = 0;  ///< which one, of several
};

/// Bytes a session and its model take. `total` is what is requested from the allocator at the peak,
/// from the start of load until the session exists.
struct MemoryReport {
  std::uint64_t weights = 0;
  std::uint64_t arena = 0;                    ///< activations and scratch, inputs and outputs not
  std::uint64_t arena_lower_bound = 0;        ///< most bytes live at once: no packing is smaller
  std::uint64_t arena_lower_bound_plain = 0;  ///< the same without fusion of memory (aliasing)
  bool arena_proved_minimal = false;          ///< no packing below `arena` exists
  std::uint64_t workspace = 0;                ///< largest scratch of one step, part of `arena`
  std::uint64_t io = 0;
  std::uint64_t other = 0;  ///< metadata, kernels, threads
  std::uint64_t total = 0;  ///< weights + arena + io + other
};

}  // namespace skiff
