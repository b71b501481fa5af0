#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace skiff {

inline constexpr int kMaxRank = 8;

/// Extents of a tensor, outermost first; rank 0 is a scalar. A value type without heap memory.
class Shape {
 public:
  constexpr Shape() noexcept = default;
  /// At most kMaxRank extents; further ones are dropped, so check the rank of foreign data first.
  constexpr Shape(std::initializer_list<std::int64_t> extents) noexcept
      : Shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}
  constexpr explicit Shape(std::span<const std::int64_t> extents) noexcept {
    for (std::int64_t extent : extents) push_back(extent);
  }

  constexpr int rank() const noexcept { return rank_; }
  constexpr std::int64_t operator[](int axis) const noexcept {
    return extents_[static_cast<std::size_t>(axis)];
  }
  constexpr std::int64_t& operator[](int axis) noexcept {
    return extents_[static_cast<std::size_t>(axis)];
  }
  constexpr void push_back(std::int64_t extent) noexcept {
    if (rank_ < kMaxRank) extents_[static_cast<std::size_t>(rank_++)] = extent;
  }
  constexpr std::int64_t back() const noexcept { return (*this)[rank_ - 1]; }
  constexpr const std::int64_t* begin() const noexcept { return extents_.data(); }
  constexpr const std::int64_t* end() const noexcept { return extents_.data() + rank_; }
  constexpr std::span<const std::int64_t> extents() const noexcept { return {begin(), end()}; }

  /// Number of elements of axes [from, to); 1 for none. Shapes inside a model were checked to fit.
  constexpr std::int64_t elements(int from, int to) const noexcept {
    std::int64_t product = 1;
    for (int axis = from; axis < to; ++axis) product *= (*this)[axis];
    return product;
  }
  constexpr std::int64_t elements() const noexcept { return elements(0, rank_); }

  friend constexpr bool operator==(const Shape& a, const Shape& b) noexcept {
    if (a.rank_ != b.rank_) return false;
    for (int axis = 0; axis < a.rank_; ++axis)
      if (a[axis] != b[axis]) return false;
    return true;
  }

 private:
  std::array<std::int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

}  // namespace skiff
