#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "runtime/plan/sections.h"

namespace skiff::plan {

/// Orders in which the exact search tries buffers of equal offset. The first few are the classical
/// ones; all others weigh peak, lifetime, size and past failures by fixed pseudo-random numbers.
/// Integers only: the same on every machine.
class Orders {
 public:
  Orders(const Sections& sections, std::pmr::memory_resource& resource);

  /// The items of the sections in the order number `round`; from(i) tells which item came i-th.
  /// `failures`: per section, how often it ended a branch.
  std::span<const Item> make(std::int32_t round, std::span<const std::int64_t> failures);
  std::int32_t from(std::size_t position) const noexcept { return order_[position]; }

 private:
  struct Weights {
    std::int64_t peak, steps, sections, size, failures;
  };
  Weights weights(std::int32_t round);

  const Sections& sections_;
  std::uint32_t random_ = 3;
  std::pmr::vector<std::int64_t> peak_, key_;
  std::pmr::vector<std::int32_t> order_;
  std::pmr::vector<Item> items_;
};

}  // namespace skiff::plan
