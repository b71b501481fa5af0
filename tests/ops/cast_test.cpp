#include <gtest/gtest.h>

#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

fb::CastAttrsT to(DType dtype) {
  fb::CastAttrsT attrs;
  attrs.to = static_cast<fb::DType>(dtype);
  return attrs;
}

TensorData cast(const TensorData& x, DType dtype) {
  return run_op(fb::OpKind::cast, to(dtype), {x})[0];
}

constexpr DType kAll[] = {DType::float32, DType::float16, DType::bfloat16, DType::float64,
                          DType::int8,    DType::uint8,   DType::int16,    DType::uint16,
                          DType::int32,   DType::uint32,  DType::int64,    DType::uint64,
                          DType::boolean};

TEST(Cast, SmallNumbersKeepTheirValue) {
  const std::vector<double> numbers = {0, 1, 2, 3, 50, 100, 127};
  for (DType from : kAll)
    for (DType target : kAll) {
      SCOPED_TRACE(message(from, " to ", target));
      const TensorData x = tensor_of(from, {7}, numbers);
      std::vector<double> expected = x.numbers();
      if (target == DType::boolean)
        for (double& v : expected) v = v != 0;
      EXPECT_EQ(cast(x, target).numbers(), expected);
    }
}

TEST(Cast, FloatsSaturateAndNanIsZero) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (DType from : {DType::float32, DType::float64}) {
    const TensorData x = tensor_of(from, {7}, {infinity, -infinity, nan, 1e30, -1e30, 2.9, -2.9});
    using V = std::vector<double>;
    EXPECT_EQ(cast(x, DType::int8).numbers(), (V{127, -128, 0, 127, -128, 2, -2}));
    EXPECT_EQ(cast(x, DType::uint8).numbers(), (V{255, 0, 0, 255, 0, 2, 0}));
    EXPECT_EQ(cast(x, DType::int32).numbers(),
              (V{2147483647, -2147483648.0, 0, 2147483647, -2147483648.0, 2, -2}));
    EXPECT_EQ(cast(x, DType::int64).values<std::int64_t>(),
              (std::vector<std::int64_t>{INT64_MAX, INT64_MIN, 0, INT64_MAX, INT64_MIN, 2, -2}));
    EXPECT_EQ(cast(x, DType::uint64).values<std::uint64_t>(),
              (std::vector<std::uint64_t>{UINT64_MAX, 0, 0, UINT64_MAX, 0, 2, 0}));
    EXPECT_EQ(cast(x, DType::boolean).numbers(), (V{1, 1, 1, 1, 1, 1, 1}));
  }
  // The largest floats below and the first at the limit.
  const TensorData edge = tensor<float>({2}, {2147483520.0f, 2147483648.0f});
  EXPECT_EQ(cast(edge, DType::int32).values<int>(), (std::vector<int>{2147483520, 2147483647}));
}

TEST(Cast, IntegersKeepTheirLowBits) {
  const TensorData x = tensor<int>({5}, {-1, 256, 300, -129, 65'537});
  using V = std::vector<double>;
  EXPECT_EQ(cast(x, DType::uint8).numbers(), (V{255, 0, 44, 127, 1}));
  EXPECT_EQ(cast(x, DType::int8).numbers(), (V{-1, 0, 44, 127, 1}));
  EXPECT_EQ(cast(x, DType::int16).numbers(), (V{-1, 256, 300, -129, 1}));
  EXPECT_EQ(cast(x, DType::uint64).values<std::uint64_t>()[0], UINT64_MAX);
}

TEST(Cast, SixteenBitFloatsRoundToEven) {
  const TensorData x =
      tensor<float>({5}, {1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 65'520.0f, 0x1p-25f, -65'519.0f});
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(cast(x, DType::float16).numbers(),
            (std::vector<double>{1, 1 + 0x1p-9, infinity, 0, -65'504}));
  const TensorData z = tensor<float>({2}, {1 + 0x1p-8f, 1 + 3 * 0x1p-8f});
  EXPECT_EQ(cast(z, DType::bfloat16).numbers(), (std::vector<double>{1, 1 + 0x1p-6}));
}

TEST(Cast, EveryRankAndCount) {
  std::mt19937 generator(1);
  for (int rank = 0; rank <= kMaxRank; ++rank) {
    const Shape shape = random_shape(rank, rank > 4 ? 1 : 0, 3, generator);
    const TensorData x = tensor_of(DType::int32, shape, random_numbers(shape.elements(), -9, 9));
    EXPECT_EQ(cast(x, DType::float32).numbers(), x.numbers());
  }
  const TensorData x = tensor_of(DType::int32, {50'001}, random_numbers(50'001, -9e4, 9e4));
  EXPECT_EQ(cast(x, DType::float32).numbers(), x.numbers());
}

TEST(Cast, UnknownTypesAreRefused) {
  const TensorData x = tensor<float>({1}, {1});
  for (int target : {0, 14, 255})
    expect_refused(fb::OpKind::cast, to(static_cast<DType>(target)), {x});
}

}  // namespace
}  // namespace skiff::test
