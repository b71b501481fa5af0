#pragma once

#include <cstdint>

#include "runtime/cuda/broadcast.cuh"

// Operands that say where to read or to write, as kernels see them; passed to them by value.
namespace skiff::cuda {

/// A tensor of indices, int32 or int64.
class Indices {
 public:
  Indices(const void* data, DType dtype) : data_(data), wide_(dtype == DType::int64) {}

  __device__ std::int64_t operator[](std::int64_t i) const {
    return wide_ ? static_cast<const std::int64_t*>(data_)[i]
                 : static_cast<const std::int32_t*>(data_)[i];
  }
  /// Entry i as an index into an axis: negative ones count from the end. Below 0 when out of range.
  __device__ std::int64_t wrapped(std::int64_t i, std::int64_t extent) const {
    const std::int64_t index = (*this)[i];
    if (index < 0) return index + extent;
    return index < extent ? index : -1;
  }

 private:
  const void* data_;
  bool wide_;
};

/// Indices along one axis of x, one an element of their own shape.
class AxisPlaces {
 public:
  AxisPlaces(const Shape& x, const Shape& indices, int axis) : extent_(x[axis]) {
    Strides strides = row_major(x);
    stride_ = strides[at(axis)];
    strides[at(axis)] = 0;
    others_ = Broadcast<1>(StridedLoop<1>(indices, {strides}));
  }
  /// The element of x that entry n names; -1 when out of range.
  __device__ std::int64_t place(const Indices& indices, std::int64_t n) const {
    const std::int64_t index = indices.wrapped(n, extent_);
    if (index < 0) return -1;
    unsigned start[1];
    others_.locate(static_cast<unsigned>(n), start);
    return start[0] + index * stride_;
  }

 private:
  std::int64_t extent_, stride_;
  Broadcast<1> others_;
};

/// Tuples in the last axis of an index tensor: each names a block of axes [batch, batch + k) of x.
class TuplePlaces {
 public:
  TuplePlaces(const Shape& x, const Shape& indices, int batch)
      : depth_(static_cast<int>(indices.back())) {
    for (int i = 0; i < depth_; ++i) extents_[i] = x[batch + i];
  }
  /// The number of the block that tuple n names, within its batch; -1 when out of range.
  __device__ std::int64_t place(const Indices& indices, std::int64_t n) const {
    std::int64_t place = 0;
    for (int i = 0; i < depth_; ++i) {
      const std::int64_t index = indices.wrapped(n * depth_ + i, extents_[i]);
      if (index < 0) return -1;
      place = place * extents_[i] + index;
    }
    return place;
  }

 private:
  int depth_;
  std::int64_t extents_[kMaxRank] = {};
};

}  // namespace skiff::cuda
