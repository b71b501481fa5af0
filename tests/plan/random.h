#pragma once

#include <cstdint>

namespace skiff::plan {

/// Small repeatable generator (the standard's distributions differ between libraries).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2 + 1) {}
  /// 0 .. bound - 1
  std::int32_t below(std::int32_t bound) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::int32_t>((state_ >> 33) % static_cast<std::uint64_t>(bound));
  }
  bool one_in(std::int32_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace skiff::plan
