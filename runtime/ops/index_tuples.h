#pragma once

#include "runtime/ops/indices.h"
#include "runtime/ops/strided.h"

namespace skiff {

/// The tuples in the last axis of an index tensor: each names a block of axes [batch, batch + k) of
/// an operand, of k extents.
class IndexTuples {
 public:
  IndexTuples(const Shape& x, const Shape& indices, int batch) noexcept
      : depth_(static_cast<int>(indices.back())), block_(x.elements(batch + depth_, x.rank())) {
    for (int i = 0; i < depth_; ++i) extents_[at(i)] = x[batch + i];
  }
  /// Elements of one block.
  std::int64_t block() const noexcept { return block_; }
  /// The number of the block that a tuple names, within its batch; -1 when out of range.
  std::int64_t place(const Indices& indices, std::int64_t tuple) const noexcept {
    std::int64_t place = 0;
    for (int i = 0; i < depth_; ++i) {
      const std::int64_t index = indices.wrapped(tuple * depth_ + i, extents_[at(i)]);
      if (index < 0) return -1;
      place = place * extents_[at(i)] + index;
    }
    return place;
  }

 private:
  int depth_;
  std::int64_t block_;
  Strides extents_{};
};

}  // namespace skiff
