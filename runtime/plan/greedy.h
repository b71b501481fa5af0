#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "runtime/plan/sections.h"

namespace skiff::plan {

struct Packing {
  explicit Packing(std::pmr::memory_resource& resource) : offsets(&resource) {}
  std::pmr::vector<std::int32_t> offsets;  ///< grains, one for each item
  std::int32_t height = 0;
};

/// The best packing of a portfolio of greedy orders (size, area, lifetime, peak, first step), each
/// placed at the lowest gap and at the tightest. Stops at `enough` grains. O(n^2).
Packing greedy(const Sections& sections, std::int64_t enough, std::pmr::memory_resource& resource);

}  // namespace skiff::plan
