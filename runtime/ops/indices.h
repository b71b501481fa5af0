#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/ops/attributes.h"

namespace skiff {

inline void check_index_dtype(const NodeView& node, const TensorInfo& indices) {
  check(node, indices.dtype == DType::int32 || indices.dtype == DType::int64, "indices are ",
        indices.dtype, ", must be int32 or int64");
}

/// Indices along one axis of x, one an element: no axis but that one may be longer than x's.
inline void check_index_shape(const NodeView& node, const Shape& x, const Shape& indices,
                              int axis) {
  check(node, indices.rank() == x.rank(), "indices have ", indices.rank(), " axes, operand has ",
        x.rank());
  for (int a = 0; a < x.rank(); ++a)
    check(node, a == axis || indices[a] <= x[a], "indices of shape ", indices, " are longer than ",
          x, " on axis ", a);
}

/// A tensor of indices, int32 or int64.
class Indices {
 public:
  Indices(const void* data, DType dtype) noexcept : data_(data), wide_(dtype == DType::int64) {}
  std::int64_t operator[](std::int64_t i) const noexcept {
    return wide_ ? static_cast<const std::int64_t*>(data_)[i]
                 : static_cast<const std::int32_t*>(data_)[i];
  }
  /// Entry i as an index into an axis: negative ones count from the end; -1 when out of range.
  std::int64_t wrapped(std::int64_t i, std::int64_t extent) const noexcept {
    const std::int64_t index = (*this)[i];
    if (index >= 0) return index < extent ? index : -1;
    return index >= -extent ? index + extent : -1;
  }

 private:
  const void* data_;
  bool wide_;
};

/// Whether any thread met an index that is out of range.
class IndexFault {
 public:
  void set() noexcept { seen_.store(true, std::memory_order_relaxed); }
  Status status() const noexcept {
    if (!seen_.load(std::memory_order_relaxed)) return {};
    return {ErrorCode::bad_value, "an index is out of range"};
  }

 private:
  std::atomic<bool> seen_{false};
};

}  // namespace skiff
