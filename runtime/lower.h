#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "runtime/bind.h"
#include "runtime/plan/problem.h"

namespace skiff {

/// Where every value and every scratch lies. Offsets are within the arena or the io block.
struct Layout {
  explicit Layout(std::pmr::memory_resource& memory)
      : arena_offset(&memory), io_offset(&memory), workspace_offset(&memory) {}
  std::pmr::vector<std::int64_t> arena_offset;      ///< per value; -1: not in the arena
  std::pmr::vector<std::int64_t> io_offset;         ///< per value; -1: no input or output
  std::pmr::vector<std::int64_t> workspace_offset;  ///< per step; -1: none
  std::uint64_t arena_bytes = 0;
  std::uint64_t io_bytes = 0;
  std::uint64_t largest_workspace = 0;
  std::uint64_t lower_bound = 0;
  std::uint64_t lower_bound_plain = 0;  ///< had every value memory of its own
  plan::Certificate certificate = plan::Certificate::unproved;
};

/// Plans the memory of a bound graph, decides which steps are views (Step::elided) and which write
/// over an operand. The result lives in `memory`; `scratch` serves during the call and should reuse
/// what it gets back.
Layout lower(const Graph& graph, Binding& binding, std::pmr::memory_resource& memory,
             std::pmr::memory_resource& scratch);

}  // namespace skiff
