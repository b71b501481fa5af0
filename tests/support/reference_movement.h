#pragma once

#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "tests/support/op_runner.h"

// Naive references of operators that move elements: one index tuple at a time.
namespace skiff::test {

using Index = std::vector<std::int64_t>;

/// Calls f(index) for every index tuple of a shape, last axis fastest.
inline void for_each_index(const Shape& shape, const std::function<void(const Index&)>& f) {
  Index index(static_cast<std::size_t>(shape.rank()), 0);
  for (std::int64_t n = 0; n < shape.elements(); ++n) {
    f(index);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      if (++index[static_cast<std::size_t>(axis)] < shape[axis]) break;
      index[static_cast<std::size_t>(axis)] = 0;
    }
  }
}

inline std::int64_t flat(const Shape& shape, const Index& index) {
  std::int64_t position = 0;
  for (int axis = 0; axis < shape.rank(); ++axis)
    position = position * shape[axis] + index[static_cast<std::size_t>(axis)];
  return position;
}

/// One element as its bytes.
inline std::vector<std::byte> element(const TensorData& x, std::int64_t position) {
  const auto size = size_of(x.dtype), at = static_cast<std::size_t>(position) * size;
  return {x.bytes.begin() + static_cast<std::ptrdiff_t>(at),
          x.bytes.begin() + static_cast<std::ptrdiff_t>(at + size)};
}

/// A tensor whose element at index is x's element at source(index); zeros where that is nothing.
inline TensorData moved(const TensorData& x, const Shape& shape,
                        const std::function<std::optional<Index>(const Index&)>& source) {
  TensorData y{x.dtype, shape, {}, false, nullptr};
  for_each_index(shape, [&](const Index& index) {
    const auto from = source(index);
    const auto bytes = from ? element(x, flat(x.shape, *from))
                            : std::vector<std::byte>(size_of(x.dtype), std::byte{0});
    y.bytes.insert(y.bytes.end(), bytes.begin(), bytes.end());
  });
  return y;
}

/// A tensor of random bytes (0 and 1 for bool).
inline TensorData random_bytes(DType dtype, const Shape& shape, unsigned seed) {
  TensorData x{dtype, shape, {}, false, nullptr};
  std::mt19937 generator(seed);
  x.bytes.resize(static_cast<std::size_t>(shape.elements()) * size_of(dtype));
  for (std::byte& byte : x.bytes)
    byte = static_cast<std::byte>(dtype == DType::boolean ? generator() & 1u : generator() & 255u);
  return x;
}

/// A shape of the given rank with extents in [least, most].
inline Shape random_shape(int rank, std::int64_t least, std::int64_t most,
                          std::mt19937& generator) {
  Shape shape;
  for (int axis = 0; axis < rank; ++axis)
    shape.push_back(std::uniform_int_distribution<std::int64_t>(least, most)(generator));
  return shape;
}

/// One dtype of every element size, and bool.
inline constexpr DType kSizes[] = {DType::int8, DType::float16, DType::float32, DType::int64,
                                   DType::boolean};

inline void expect_same(const TensorData& actual, const TensorData& expected) {
  EXPECT_EQ(actual.dtype, expected.dtype);
  EXPECT_TRUE(actual.shape == expected.shape)
      << message(actual.shape) << " instead of " << message(expected.shape);
  EXPECT_TRUE(actual.bytes == expected.bytes) << "of shape " << message(expected.shape);
}

/// Indices in [-extent, extent).
inline TensorData random_indices(DType dtype, const Shape& shape, std::int64_t extent,
                                 unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<std::int64_t> pick(-extent, extent - 1);
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    values.push_back(static_cast<double>(pick(generator)));
  return tensor_of(dtype, shape, values);
}

/// The operator runs and reports that a value of its operands is out of range.
inline void expect_bad_value(fb::OpKind op, const Attributes& attributes,
                             const std::vector<TensorData>& inputs) {
  std::vector<const TensorData*> pointers;
  for (const TensorData& input : inputs) pointers.push_back(&input);
  EXPECT_EQ(run_op(op, attributes, pointers).status.code(), ErrorCode::bad_value);
}

}  // namespace skiff::test
