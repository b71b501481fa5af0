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

/// Layers that follow each other as one step whose intermediate results never exist as a whole, the
/// same to the bit: convolutions on the CPU, elementwise operators there and on a GPU. automatic:
/// where it is no slower; convolutions wherever possible when a memory limit asks for it.
enum class Fuse : std::int32_t { automatic = 0, off = 1, on = 2 };

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

/// Told how far the long work of a load has come, by the thread that loads; it must not throw.
struct Progress {
  /// `stage`: what is being done, a literal; `done`: how much of it is, 0 to 1.
  void (*function)(void* user, const char* stage, double done) = nullptr;
  void* user = nullptr;
};

/// How thoroughly a session with a GPU looks for the fastest kernels.
enum class Tuning : std::int32_t {
  off = 0,   ///< the libraries' own ranking
  fast = 1,  ///< candidates for each node are timed alone, unless the plan cache knows the best
  full = 2,  ///< and close ones again within the whole network
};

struct SessionOptions {
  DeviceKind device = DeviceKind::automatic;
  int threads = 1;                 ///< incl. the one that calls run(); never changes a result
  bool strict_gpu = false;         ///< fail instead of falling back to the CPU
  const char* isa = nullptr;       ///< "avx2", "avx512", "neon" ...; null: the best one here
  std::uint64_t memory_limit = 0;  ///< bytes for model and session; 0: the model's, else the file's
  Allocator allocator = {};        ///< for everything of the session
  /// The arena's memory, 256-byte aligned and at least MemoryReport::arena bytes; empty: allocated.
  std::span<std::byte> arena = {};
  Log log = {};
  int gpu = 0;  ///< which one, of several
  /// A cudaStream_t that outlives the session; null: one of its own. run() puts its work behind
  /// what the stream holds and returns when that and its own is done; no other stream is waited
  /// for. The stream may serve several sessions of one thread. Loading does not use it.
  void* stream = nullptr;
  /// The GPU's part of the arena, as the caller allocated it there: 256-byte aligned, at least
  /// MemoryReport::device_arena bytes; empty: allocated.
  std::span<std::byte> device_arena = {};
  Tuning tuning = Tuning::off;
  /// File with the results of tuning, read and written unless tuning is off; with a name given it
  /// is read then too. Null: skiff/plans in the user's cache folder. Code that was compiled for
  /// chains of elementwise layers stands beside it, in a folder of its name and ".code". Both may
  /// be deleted or damaged at any time.
  const char* plan_cache = nullptr;
  Fuse fuse = Fuse::automatic;
  /// The GPU's convolutions and matrix products of float32 may round their operands to TF32, which
  /// has 10 bits of fraction, so that tensor cores compute them; sums stay float32. Without a GPU
  /// it changes nothing.
  bool tf32 = false;
  Progress progress = {};  ///< of tuning, which may take minutes
};

/// Bytes a session and its model take. `total` is what is requested from the allocator at the peak,
/// from the start of load until the session exists.
struct MemoryReport {
  std::uint64_t weights = 0;
  std::uint64_t arena = 0;                    ///< activations and scratch, inputs and outputs not
  std::uint64_t arena_lower_bound = 0;        ///< most bytes live at once: no packing is smaller
  std::uint64_t arena_lower_bound_plain = 0;  ///< the same without fusion of memory (aliasing)
  bool arena_proved_minimal = false;          ///< no packing below `arena` exists
  std::uint64_t device_arena = 0;             ///< part of `arena` that is the GPU's
  std::uint64_t workspace = 0;                ///< largest scratch of one step, part of `arena`
  std::uint64_t io = 0;
  std::uint64_t other = 0;  ///< metadata, kernels, threads
  std::uint64_t total = 0;  ///< weights + arena + io + other
};

}  // namespace skiff
