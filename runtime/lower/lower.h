#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "runtime/lower/bind.h"
#include "runtime/lower/borders.h"
#include "runtime/plan/problem.h"

namespace skiff {

/// The arena of one memory space. Offsets are within it.
struct ArenaLayout {
  explicit ArenaLayout(std::pmr::memory_resource& memory)
      : value_offset(&memory), workspace_offset(&memory) {}
  std::pmr::vector<std::int64_t> value_offset;      ///< per value; -1: not in this arena
  std::pmr::vector<std::int64_t> workspace_offset;  ///< per step; -1: none
  std::uint64_t bytes = 0;
  std::uint64_t largest_workspace = 0;
  std::uint64_t lower_bound = 0;
  std::uint64_t lower_bound_plain = 0;  ///< had every value memory of its own
  plan::Certificate certificate = plan::Certificate::equals_lower_bound;
};

/// Where every value and every scratch lies, and what is copied between the spaces.
struct Layout {
  explicit Layout(std::pmr::memory_resource& memory)
      : host(memory), device(memory), io_offset(&memory), borders(&memory) {}
  ArenaLayout host, device;
  std::pmr::vector<std::int64_t> io_offset;  ///< per value, in the io block; -1: no input or output
  std::uint64_t io_bytes = 0;
  std::pmr::vector<Border> borders;
};

/// Plans the memory of a bound graph, decides which steps are views (Step::elided) and which write
/// over an operand. `shared_io`: the device works on inputs and outputs in place. The result lives
/// in `memory`; `scratch` serves during the call and should reuse what it gets back.
Layout lower(const Graph& graph, Binding& binding, bool shared_io,
             std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch);

}  // namespace skiff
