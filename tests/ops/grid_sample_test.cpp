#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

using fb::GridPadding;
using fb::ResizeMode;

fb::GridSampleAttrsT attributes(ResizeMode mode, GridPadding padding, bool align) {
  fb::GridSampleAttrsT attrs;
  attrs.mode = mode;
  attrs.padding = padding;
  attrs.align_corners = align;
  return attrs;
}

double mirror(double v, double low, double high) {
  if (low == high) return low;
  while (v < low || v > high) v = v < low ? 2 * low - v : 2 * high - v;
  return v;
}

double weight(ResizeMode mode, double x) {
  x = std::abs(x);
  if (mode == ResizeMode::nearest) return x == 0;
  if (mode == ResizeMode::linear) return x < 1 ? 1 - x : 0;
  const double a = -0.75;
  if (x < 1) return (a + 2) * x * x * x - (a + 3) * x * x + 1;
  return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0;
}

/// Weights of every pixel of an axis for one grid coordinate.
std::vector<double> axis_weights(const fb::GridSampleAttrsT& a, double g, std::int64_t extent) {
  const auto n = static_cast<double>(extent);
  const double low = a.align_corners ? 0 : -0.5, high = n - 1 - low;
  double v = a.align_corners ? (g + 1) / 2 * (n - 1) : ((g + 1) * n - 1) / 2;
  if (a.mode == ResizeMode::nearest) v -= std::remainder(v, 1);
  if (v < low || v > high) {
    if (a.padding == GridPadding::border) v = std::clamp(v, 0.0, n - 1);
    if (a.padding == GridPadding::reflection) v = mirror(v, low, high);
  }
  if (a.mode == ResizeMode::nearest) v = std::trunc(v);
  std::vector<double> weights(static_cast<std::size_t>(extent), 0);
  for (double i = std::floor(v) - 2; i <= v + 3; ++i) {
    double to = i;
    if (i < 0 || i >= n) {
      if (a.padding == GridPadding::zeros) continue;
      to = a.padding == GridPadding::border ? std::clamp(i, 0.0, n - 1)
                                            : std::trunc(mirror(i, low, high));
    }
    weights[static_cast<std::size_t>(to)] += weight(a.mode, v - i);
  }
  return weights;
}

std::vector<double> reference(const fb::GridSampleAttrsT& a, const TensorData& x,
                              const TensorData& grid) {
  const int axes = x.shape.rank() - 2;
  const std::vector<double> v = x.numbers(), g = grid.numbers();
  Shape points = grid.shape;
  points[axes + 1] = x.shape.back();
  std::vector<double> y;
  for_each_index(points, [&](const Index& index) {
    Index place = index;
    std::vector<std::vector<double>> weights;
    for (int axis = 0; axis < axes; ++axis) {
      place.back() = axes - 1 - axis;
      weights.push_back(
          axis_weights(a, g[static_cast<std::size_t>(flat(grid.shape, place))], x.shape[axis + 1]));
    }
    double sum = 0;
    Shape spatial;
    for (int axis = 0; axis < axes; ++axis) spatial.push_back(x.shape[axis + 1]);
    for_each_index(spatial, [&](const Index& pixel) {
      double w = 1;
      Index from = {index[0]};
      for (std::size_t axis = 0; axis < pixel.size(); ++axis) {
        w *= weights[axis][static_cast<std::size_t>(pixel[axis])];
        from.push_back(pixel[axis]);
      }
      from.push_back(index.back());
      sum += w * v[static_cast<std::size_t>(flat(x.shape, from))];
    });
    y.push_back(sum);
  });
  return y;
}

void check_grid_sample(const fb::GridSampleAttrsT& attrs, DType dtype, const Shape& sx,
                       const Shape& sg, const cpu::KernelTable* table = nullptr) {
  SCOPED_TRACE(message(fb::EnumNameResizeMode(attrs.mode), " ",
                       fb::EnumNameGridPadding(attrs.padding), " ", dtype, " ", sx, " ", sg));
  const TensorData x = random_tensor(dtype, sx, 0, 10);
  // 64ths: positions are exact in every float, so nearest has no doubtful cases but true halves.
  std::vector<double> numbers = random_numbers(sg.elements(), -2.2, 2.2, 5);
  for (double& v : numbers) v = std::round(v * 64) / 64;
  const TensorData grid = tensor_of(dtype, sg, numbers);
  expect_near(run_op(fb::OpKind::grid_sample, attrs, {x, grid}, {1, table, "node"})[0],
              reference(attrs, x, grid), rounding(dtype, 8), rounding(dtype, 256));
}

TEST(GridSample, EveryModePaddingAndRank) {
  for (ResizeMode mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic})
    for (GridPadding padding : {GridPadding::zeros, GridPadding::border, GridPadding::reflection})
      for (bool align : {false, true}) {
        const auto attrs = attributes(mode, padding, align);
        for_each_table([&](const cpu::KernelTable& table) {
          check_grid_sample(attrs, DType::float32, {2, 5, 4, 19}, {2, 7, 6, 2}, &table);
        });
        for (DType dtype : {DType::float64, DType::float16, DType::bfloat16})
          check_grid_sample(attrs, dtype, {1, 5, 4, 3}, {1, 7, 6, 2});
        check_grid_sample(attrs, DType::float32, {2, 9, 3}, {2, 20, 1});
        check_grid_sample(attrs, DType::float32, {1, 3, 4, 5, 2}, {1, 2, 3, 4, 3});
        check_grid_sample(attrs, DType::float32, {1, 1, 1, 2}, {1, 5, 5, 2});
      }
}

TEST(GridSample, EveryNumberOfChannels) {
  for (std::int64_t channels : {1, 2, 31, 32, 33, 255, 256, 257})
    for (ResizeMode mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic})
      check_grid_sample(attributes(mode, GridPadding::reflection, channels % 2 == 0),
                        DType::float32, {3, 4, 5, channels}, {3, 2, 3, 2});
}

TEST(GridSample, AnyGridIsHarmless) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TensorData grid =
      tensor<float>({1, 4, 1, 2}, {nan, 0, infinity, -infinity, 1e38f, -1e38f, nan, nan});
  const TensorData x = random_tensor(DType::float32, {1, 4, 4, 2});
  for (ResizeMode mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic})
    for (GridPadding padding : {GridPadding::zeros, GridPadding::border, GridPadding::reflection})
      for (const double v :
           run_op(fb::OpKind::grid_sample, attributes(mode, padding, false), {x, grid})[0]
               .numbers())
        EXPECT_TRUE(padding == GridPadding::zeros ? v == 0 : std::isfinite(v));
}

TEST(GridSample, OddOperandsAreRefused) {
  const auto attrs = attributes(ResizeMode::linear, GridPadding::zeros, false);
  const auto op = fb::OpKind::grid_sample;
  const auto t = [](const Shape& shape) { return random_tensor(DType::float32, shape); };
  expect_refused(op, attrs, {t({1, 4}), t({1, 4})});
  expect_refused(op, attrs, {t({1, 4, 4, 2}), t({1, 4, 4, 3})});
  expect_refused(op, attrs, {t({1, 4, 4, 2}), t({2, 4, 4, 2})});
  expect_refused(op, attrs, {t({1, 4, 4, 2}), t({1, 4, 2})});
  expect_refused(op, attrs, {t({1, 4, 0, 2}), t({1, 4, 4, 2})});
  expect_refused(op, attrs, {t({1, 4, 4, 2}), random_tensor(DType::float64, {1, 4, 4, 2})});
  expect_refused(op, attrs, {t({1, 1, 1, 1, 1, 2}), t({1, 1, 1, 1, 1, 4})});
  expect_refused(op, attributes(static_cast<ResizeMode>(9), GridPadding::zeros, false),
                 {t({1, 4, 4, 2}), t({1, 4, 4, 2})});
  expect_refused(op, attributes(ResizeMode::linear, static_cast<GridPadding>(3), false),
                 {t({1, 4, 4, 2}), t({1, 4, 4, 2})});
}

}  // namespace
}  // namespace skiff::test
