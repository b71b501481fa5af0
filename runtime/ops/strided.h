#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <skiff/shape.h>

namespace skiff {

/// A stride in elements for every axis of a shape.
using Strides = std::array<std::int64_t, static_cast<std::size_t>(kMaxRank)>;

inline std::size_t at(int axis) noexcept { return static_cast<std::size_t>(axis); }

/// Strides of a dense tensor, last axis fastest.
inline Strides row_major(const Shape& shape) noexcept {
  Strides strides{};
  std::int64_t step = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[at(axis)] = step;
    step *= shape[axis];
  }
  return strides;
}

/// Strides that walk a dense tensor of shape `from` as if it had shape `to`, to which it broadcasts
/// (numpy's rule): 0 along repeated axes.
inline Strides broadcast_strides(const Shape& from, const Shape& to) noexcept {
  const Strides own = row_major(from);
  const int shift = to.rank() - from.rank();
  Strides strides{};
  for (int axis = shift; axis < to.rank(); ++axis)
    if (from[axis - shift] != 1) strides[at(axis)] = own[at(axis - shift)];
  return strides;
}

/// A shape seen around one axis: index = (o * extent + a) * inner + i.
struct AxisSplit {
  std::int64_t outer = 1;
  std::int64_t extent = 1;
  std::int64_t inner = 1;
};

inline AxisSplit split_at(const Shape& shape, int axis) noexcept {
  return {shape.elements(0, axis), shape[axis], shape.elements(axis + 1, shape.rank())};
}

/// Nested loops over up to kMaxRank axes with a stride an operand and axis. Axes of extent 1 are
/// dropped and neighbours that every operand walks as one are merged; at least one axis remains.
template <int kOperands>
struct StridedLoop {
  int rank = 1;
  Strides extents{1};
  std::array<Strides, static_cast<std::size_t>(kOperands)> strides{};

  StridedLoop() = default;
  StridedLoop(const Shape& shape,
              const std::array<Strides, static_cast<std::size_t>(kOperands)>& by) {
    rank = 0;
    for (int axis = 0; axis < shape.rank(); ++axis)
      if (shape[axis] != 1) append(shape[axis], by, axis);
    if (rank == 0) {
      rank = 1;
      extents[0] = 1;
    }
  }

  std::int64_t inner() const noexcept { return extents[at(rank - 1)]; }
  std::int64_t inner_stride(int operand) const noexcept {
    return strides[at(operand)][at(rank - 1)];
  }
  /// Rows: index tuples of all axes but the last.
  std::int64_t rows() const noexcept {
    std::int64_t product = 1;
    for (int axis = 0; axis + 1 < rank; ++axis) product *= extents[at(axis)];
    return product;
  }

 private:
  void append(std::int64_t extent, const auto& by, int axis) {
    if (rank > 0) {
      bool merges = true;
      for (int n = 0; n < kOperands; ++n)
        merges = merges && strides[at(n)][at(rank - 1)] == by[at(n)][at(axis)] * extent;
      if (merges) {
        extents[at(rank - 1)] *= extent;
        for (int n = 0; n < kOperands; ++n) strides[at(n)][at(rank - 1)] = by[at(n)][at(axis)];
        return;
      }
    }
    extents[at(rank)] = extent;
    for (int n = 0; n < kOperands; ++n) strides[at(n)][at(rank)] = by[at(n)][at(axis)];
    ++rank;
  }
};

/// Walks the rows of a loop in order, from any of them.
template <int kOperands>
class Odometer {
 public:
  Odometer(const StridedLoop<kOperands>& loop, std::int64_t row) noexcept : loop_(loop) {
    for (int axis = loop.rank - 2; axis >= 0; --axis) {
      const std::int64_t extent = loop.extents[at(axis)];
      index_[at(axis)] = row % extent;
      row /= extent;
      for (int n = 0; n < kOperands; ++n)
        offsets_[at(n)] += index_[at(axis)] * loop.strides[at(n)][at(axis)];
    }
  }
  /// Where the row starts in an operand, in elements.
  std::int64_t offset(int operand) const noexcept { return offsets_[at(operand)]; }
  /// The row's index along a (merged) axis.
  std::int64_t index(int axis) const noexcept { return index_[at(axis)]; }

  void next() noexcept {
    for (int axis = loop_.rank - 2; axis >= 0; --axis) {
      const auto a = at(axis);
      for (int n = 0; n < kOperands; ++n) offsets_[at(n)] += loop_.strides[at(n)][a];
      if (++index_[a] < loop_.extents[a]) return;
      for (int n = 0; n < kOperands; ++n)
        offsets_[at(n)] -= loop_.strides[at(n)][a] * loop_.extents[a];
      index_[a] = 0;
    }
  }

 private:
  const StridedLoop<kOperands>& loop_;
  Strides index_{};
  std::array<std::int64_t, static_cast<std::size_t>(kOperands)> offsets_{};
};

}  // namespace skiff
