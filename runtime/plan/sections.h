#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "runtime/plan/problem.h"
#include "runtime/plan/search.h"

namespace skiff::plan {

/// A problem in the form the algorithms work on: steps merged into sections (the sets of buffers
/// that live together and are not part of a larger such set), sizes in grains (their greatest
/// common divisor). Buffers without bytes are left out.
struct Sections {
  explicit Sections(std::pmr::memory_resource& resource)
      : items(&resource), buffer_of(&resource), steps(&resource), load(&resource) {}

  std::pmr::vector<Item> items;
  std::pmr::vector<std::int32_t> buffer_of;  ///< item -> buffer of the problem
  std::pmr::vector<std::int64_t> steps;      ///< per item: length of its life in steps
  std::pmr::vector<std::int64_t> load;       ///< per section: sum of the live sizes, in grains
  std::int64_t grain = 1;                    ///< bytes
  std::int64_t lower_bound = 0;              ///< grains

  std::int32_t count() const noexcept { return static_cast<std::int32_t>(load.size()); }
};

/// Throws Error{invalid_argument} for a problem that makes no sense and Error{unsupported} where a
/// packing could pass 2^30 grains.
Sections make_sections(const Problem& problem, std::pmr::memory_resource& resource);

}  // namespace skiff::plan
