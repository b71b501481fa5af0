#pragma once

#include "runtime/ops/op.h"
#include "runtime/ops/strided.h"

namespace skiff {

/// A reduction as two loops over the operand: the kept axes, in the order of the dense result, and
/// for each of their points the reduced ones.
struct ReduceLoops {
  StridedLoop<1> kept;
  StridedLoop<1> reduced;

  std::int64_t outputs() const noexcept { return kept.rows() * kept.inner(); }
  std::int64_t count() const noexcept { return reduced.rows() * reduced.inner(); }
  /// The reduced axes are one dense row.
  bool rows() const noexcept { return reduced.rank == 1 && reduced.inner_stride(0) == 1; }
  /// Neighbouring results come from neighbouring elements.
  bool columns() const noexcept { return kept.inner_stride(0) == 1 && kept.inner() > 1; }
};

inline ReduceLoops make_reduce_loops(const Shape& shape,
                                     const flatbuffers::Vector<std::int64_t>* axes) {
  std::array<bool, static_cast<std::size_t>(kMaxRank)> gone{};
  if (axes != nullptr)
    for (const std::int64_t axis : *axes) gone[static_cast<std::size_t>(axis)] = true;
  const Strides strides = row_major(shape);
  Shape shapes[2];
  Strides steps[2] = {};
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const int side = gone[at(axis)] ? 1 : 0;
    steps[side][at(shapes[side].rank())] = strides[at(axis)];
    shapes[side].push_back(shape[axis]);
  }
  return {StridedLoop<1>(shapes[0], {steps[0]}), StridedLoop<1>(shapes[1], {steps[1]})};
}

/// Calls f(offset, count, stride) for every innermost run of a loop, in order.
template <typename F>
void for_each_run(const StridedLoop<1>& loop, F&& f) {
  const std::int64_t rows = loop.rows();
  if (rows == 0 || loop.inner() == 0) return;
  Odometer<1> row(loop, 0);
  for (std::int64_t i = 0; i < rows; ++i, row.next())
    f(row.offset(0), loop.inner(), loop.inner_stride(0));
}

/// Where output `index` starts in the operand.
inline std::int64_t start_of(const StridedLoop<1>& kept, std::int64_t index) noexcept {
  const std::int64_t inner = kept.inner();
  return Odometer<1>(kept, index / inner).offset(0) + index % inner * kept.inner_stride(0);
}

}  // namespace skiff
