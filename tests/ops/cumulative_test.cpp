#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

fb::CumulativeAttrsT attributes(bool product, std::int64_t axis, bool exclusive, bool reverse) {
  fb::CumulativeAttrsT attrs;
  attrs.function = product ? fb::CumulativeFunction::product : fb::CumulativeFunction::sum;
  attrs.axis = axis;
  attrs.exclusive = exclusive;
  attrs.reverse = reverse;
  return attrs;
}

std::vector<double> reference(bool product, bool exclusive, bool reverse,
                              std::vector<double> lane) {
  if (reverse) std::reverse(lane.begin(), lane.end());
  std::vector<double> y;
  for (std::size_t i = 0; i < lane.size(); ++i) {
    double total = product ? 1 : 0;
    for (std::size_t j = 0; j < i + (exclusive ? 0 : 1); ++j)
      total = product ? total * lane[j] : total + lane[j];
    y.push_back(total);
  }
  if (reverse) std::reverse(y.begin(), y.end());
  return y;
}

TEST(Cumulative, EveryForm) {
  for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::int32,
                      DType::int64, DType::uint32}) {
    const TensorData x = random_tensor(dtype, {3, 5, 4}, 1, 3.9);
    for (int axis = 0; axis < 3; ++axis)
      for (int form = 0; form < 8; ++form) {
        const bool product = (form & 1) != 0, exclusive = (form & 2) != 0,
                   reverse = (form & 4) != 0;
        const auto y =
            run_op(fb::OpKind::cumulative, attributes(product, axis, exclusive, reverse), {x});
        expect_near(y[0],
                    map_lanes(x, axis, x.shape[axis],
                              [&](const auto& lane) {
                                return reference(product, exclusive, reverse, lane);
                              }),
                    rounding(dtype, 4));
      }
  }
}

TEST(Cumulative, IntegersWrapAndShapesMayBeEmpty) {
  const TensorData x = tensor<std::int8_t>({3}, {100, 100, 100});
  EXPECT_EQ(run_op(fb::OpKind::cumulative, attributes(false, 0, false, false), {x})[0].numbers(),
            (std::vector<double>{100, -56, 44}));
  for (const Shape& shape : {Shape{0, 2}, Shape{2, 0}})
    EXPECT_EQ(run_op(fb::OpKind::cumulative, attributes(false, 0, false, false),
                     {tensor_of(DType::float32, shape, {})})[0]
                  .elements(),
              0);
  const TensorData wide = random_tensor(DType::float32, {40, 1000});
  expect_near(
      run_op(fb::OpKind::cumulative, attributes(false, 0, false, false), {wide})[0],
      map_lanes(wide, 0, 40, [](const auto& lane) { return reference(false, false, false, lane); }),
      1e-6, 1e-6);
}

TEST(Cumulative, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3});
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX})
    expect_refused(fb::OpKind::cumulative, attributes(false, axis, false, false), {x});
  fb::CumulativeAttrsT attrs = attributes(false, 0, false, false);
  attrs.function = static_cast<fb::CumulativeFunction>(2);
  expect_refused(fb::OpKind::cumulative, attrs, {x});
  expect_refused(fb::OpKind::cumulative, attributes(false, 0, false, false),
                 {tensor<bool>({1}, {true})});
}

}  // namespace
}  // namespace skiff::test
