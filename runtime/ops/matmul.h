#pragma once

#include <array>
#include <cstdint>

#include "runtime/ops/op.h"

namespace skiff {

/// op(a) [batch..., m, k] times op(b) [batch..., k, n]; 1-D operands count as a row and a column.
struct MatMulGeometry {
  std::int64_t m = 1, k = 0, n = 1;
  std::int64_t batches = 1;  ///< of the result
  Shape batch;               ///< batch axes of the result
  std::array<std::int64_t, kMaxRank> a_steps{},
      b_steps{};  ///< matrices from one batch index to the next, 0: broadcast
  std::int64_t a_matrices = 1, b_matrices = 1;
  bool transpose_a = false, transpose_b = false;
  Shape output;

  /// Which stored matrix of an operand result matrix `index` is made of.
  std::int64_t matrix_of(const std::array<std::int64_t, kMaxRank>& steps,
                         std::int64_t index) const noexcept {
    std::int64_t matrix = 0;
    for (int axis = batch.rank() - 1; axis >= 0; --axis) {
      matrix += index % batch[axis] * steps[static_cast<std::size_t>(axis)];
      index /= batch[axis];
    }
    return matrix;
  }
};

/// Throws Error{invalid_model}.
MatMulGeometry read_matmul_geometry(const NodeView& node);

}  // namespace skiff
