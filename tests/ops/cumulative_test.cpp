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

void check_every_form(const TensorData& x, int axis, double relative, double absolute = 0) {
  for (int form = 0; form < 8; ++form) {
    const bool product = (form & 1) != 0, exclusive = (form & 2) != 0, reverse = (form & 4) != 0;
    const auto y =
        run_op(fb::OpKind::cumulative, attributes(product, axis, exclusive, reverse), {x});
    expect_near(
        y[0],
        map_lanes(x, axis, x.shape[axis],
                  [&](const auto& lane) { return reference(product, exclusive, reverse, lane); }),
        relative, absolute);
  }
}

TEST(Cumulative, LongLines) {
  for (std::int64_t extent : {63, 64, 65, 255, 256, 257, 300, 1000})
    check_every_form(random_tensor(DType::float32, {2, extent, 3}, 0.9, 1.1), 1, 1e-6);
  check_every_form(random_tensor(DType::float64, {1, 777}, 0.9, 1.1), 1, 1e-13);
  check_every_form(random_tensor(DType::float32, {1000}, -1, 1), 0, 1e-6, 1e-6);
  check_every_form(random_tensor(DType::float16, {70, 1, 1, 2, 1}, 0.9, 1.1), 0,
                   rounding(DType::float16, 2));
  check_every_form(random_tensor(DType::float32, {1, 1, 1, 1}, 1, 2), 3, 0);
}

TEST(Cumulative, LongLinesOfIntegersWrap) {
  std::vector<std::int8_t> values;
  for (int i = 0; i < 500; ++i) values.push_back(static_cast<std::int8_t>(i * 37 + 1));
  for (bool product : {false, true}) {
    std::vector<std::int8_t> expected;
    unsigned total = product ? 1 : 0;
    for (const std::int8_t value : values) {
      const auto v = static_cast<unsigned>(value) & 255u;
      total = (product ? total * v : total + v) & 255u;
      expected.push_back(static_cast<std::int8_t>(total));
    }
    const auto y = run_op(fb::OpKind::cumulative, attributes(product, 0, false, false),
                          {tensor<std::int8_t>({500}, values)});
    EXPECT_EQ(y[0].values<std::int8_t>(), expected);
  }
}

TEST(Cumulative, ManyLines) {
  check_every_form(random_tensor(DType::float32, {5, 40, 90}, 0.9, 1.1), 1, 1e-6);
  const TensorData wide = random_tensor(DType::float32, {65, 8200}, -1, 1);
  expect_near(
      run_op(fb::OpKind::cumulative, attributes(false, 0, false, false), {wide})[0],
      map_lanes(wide, 0, 65, [](const auto& lane) { return reference(false, false, false, lane); }),
      1e-6, 1e-6);
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
