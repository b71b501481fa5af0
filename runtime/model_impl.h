#pragma once

#include <skiff/model.h>

#include <cstdint>
#include <cstdlib>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/backend/device.h"
#include "runtime/core/memory.h"
#include "runtime/graph/widen.h"
#include "runtime/model/checks.h"
#include "runtime/model/verified.h"

namespace skiff {

namespace cpu {
struct KernelTable;
}

/// Metadata grows in chunks from this size on.
inline constexpr std::size_t kMetadataChunk = 4096;

/// Packed weights for one instruction set and choice of algorithms, and of a GPU beside it: shared
/// by all sessions that use these.
struct WeightSet {
  const cpu::KernelTable* table = nullptr;
  int gpu = -1;                 ///< -1: none
  std::uint64_t forms_key = 0;  ///< which forms it holds (Binding::forms_key)
  Block block;
  backend::Memory device_block;
};

struct [[gnu::visibility("hidden")]] Model::Impl {
  Impl(model::Source source, const LoadOptions& options);

  LoadOptions options;
  MemoryBook book;
  std::pmr::monotonic_buffer_resource arena;
  model::Verified verified;
  std::optional<Graph> wide;  // the graph as the CPU computes it, where that differs

  /// What a session without a GPU runs.
  const Graph& host_graph() const noexcept { return wide ? *wide : verified.graph(); }

  std::uint64_t metadata_bytes = 0;  // what the book held when the model was loaded
  std::uint64_t load_peak = 0;       // and the most it held until then

  std::mutex mutex;  // guards weights and book once sessions exist
  // A handful of instruction sets and GPUs at most; a fixed array allocates nothing.
  static constexpr std::size_t kMaxWeightSets = 8;
  WeightSet weights[kMaxWeightSets];
};

/// A value as the public API shows it.
TensorDesc describe(const TensorInfo& info) noexcept;

}  // namespace skiff
