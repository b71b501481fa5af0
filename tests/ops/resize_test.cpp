#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

using fb::CoordinateMode;
using fb::NearestMode;
using fb::ResizeMode;

/// Where output o lies, written from the formulas of ONNX's Resize.
double reference_position(const fb::ResizeAttrsT& a, double o, double in, double out, double scale,
                          double roi_start, double roi_end) {
  const double length = scale * in;
  switch (a.coordinates) {
    case CoordinateMode::half_pixel:
      return (o + 0.5) / scale - 0.5;
    case CoordinateMode::asymmetric:
      return o / scale;
    case CoordinateMode::align_corners:
      return length == 1 ? 0 : o * (in - 1) / (length - 1);
    case CoordinateMode::pytorch_half_pixel:
      return length > 1 ? (o + 0.5) / scale - 0.5 : -0.5;
    case CoordinateMode::half_pixel_symmetric:
      return in / 2 * (1 - out / length) + (o + 0.5) / scale - 0.5;
    case CoordinateMode::tf_half_pixel_for_nn:
      return (o + 0.5) / scale;
    case CoordinateMode::tf_crop_and_resize:
      return length > 1 ? roi_start * (in - 1) + o * (roi_end - roi_start) * (in - 1) / (length - 1)
                        : 0.5 * (roi_start + roi_end) * (in - 1);
  }
  return 0;
}

double reference_kernel(const fb::ResizeAttrsT& attrs, double x) {
  x = std::abs(x);
  if (attrs.mode == ResizeMode::linear) return x < 1 ? 1 - x : 0;
  const double a = static_cast<double>(attrs.cubic_a);
  if (x < 1) return (a + 2) * x * x * x - (a + 3) * x * x + 1;
  return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0;
}

/// One lane: every input position, and the padding beyond it, weighted by the kernel.
std::vector<double> reference_lane(const fb::ResizeAttrsT& a, const std::vector<double>& lane,
                                   std::int64_t out, double scale, double roi_start,
                                   double roi_end) {
  const auto in = static_cast<std::int64_t>(lane.size());
  std::vector<double> y;
  for (std::int64_t o = 0; o < out; ++o) {
    const double p = reference_position(a, static_cast<double>(o), static_cast<double>(in),
                                        static_cast<double>(out), scale, roi_start, roi_end);
    if (a.coordinates == CoordinateMode::tf_crop_and_resize &&
        (p < 0 || p > static_cast<double>(in - 1))) {
      y.push_back(static_cast<double>(a.extrapolation));
      continue;
    }
    const auto value = [&](double i) {
      return lane[static_cast<std::size_t>(std::clamp(i, 0.0, static_cast<double>(in - 1)))];
    };
    if (a.mode == ResizeMode::nearest) {
      const double down = std::floor(p), up = std::ceil(p);
      double i = down;
      if (a.nearest == NearestMode::ceil) i = up;
      if (a.nearest == NearestMode::round_prefer_floor) i = p - down <= 0.5 ? down : up;
      if (a.nearest == NearestMode::round_prefer_ceil) i = p - down < 0.5 ? down : up;
      y.push_back(value(i));
      continue;
    }
    const double stretch = a.antialias ? std::min(scale, 1.0) : 1;
    double total = 0, weights = 0;
    for (double i = std::floor(p) - 60; i <= p + 60; ++i) {
      if (a.exclude_outside && (i < 0 || i >= static_cast<double>(in))) continue;
      const double w = reference_kernel(a, (i - p) * stretch);
      total += w * value(i);
      weights += w;
    }
    y.push_back(total / weights);
  }
  return y;
}

std::vector<double> reference(fb::ResizeAttrsT a, TensorData x) {
  std::vector<double> y = x.numbers();
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    const auto i = static_cast<std::size_t>(axis), rank = static_cast<std::size_t>(x.shape.rank());
    const double start = a.roi.empty() ? 0 : static_cast<double>(a.roi[i]);
    const double end = a.roi.empty() ? 1 : static_cast<double>(a.roi[rank + i]);
    const double scale = a.scales.empty()
                             ? static_cast<double>(a.sizes[i]) / static_cast<double>(x.shape[axis])
                             : static_cast<double>(a.scales[i]);
    if (scale == 1 && a.sizes[i] == x.shape[axis] && start == 0 && end == 1) continue;
    Shape shape = x.shape;
    shape[axis] = a.sizes[i];
    const TensorData now = tensor_of(DType::float64, x.shape, y);
    y = map_lanes(now, axis, a.sizes[i], [&](const auto& lane) {
      return reference_lane(a, lane, a.sizes[i], scale, start, end);
    });
    x = tensor_of(DType::float64, shape, y);
  }
  return y;
}

void check_resize(const fb::ResizeAttrsT& attrs, DType dtype, const Shape& shape,
                  const cpu::KernelTable* table = nullptr) {
  SCOPED_TRACE(message(fb::EnumNameResizeMode(attrs.mode), " ",
                       fb::EnumNameCoordinateMode(attrs.coordinates), " ",
                       fb::EnumNameNearestMode(attrs.nearest), " ", dtype, " ", shape,
                       " antialias ", attrs.antialias, " exclude ", attrs.exclude_outside));
  const TensorData x = random_tensor(dtype, shape, 0, 100);
  const auto y = run_op(fb::OpKind::resize, attrs, {x}, {1, table, "node"});
  // Integers: the last rounding may go either way where the float lies at a half.
  const bool integer = holds(IntegerTypes{}, dtype) && attrs.mode != ResizeMode::nearest;
  std::vector<double> expected = reference(attrs, x);
  if (dtype == DType::uint8)
    for (double& v : expected) v = std::clamp(v, 0.0, 255.0);
  expect_near(y[0], expected, rounding(dtype, 4), integer ? 0.51 : rounding(dtype, 4000));
}

constexpr CoordinateMode kCoordinates[] = {
    CoordinateMode::half_pixel,           CoordinateMode::asymmetric,
    CoordinateMode::align_corners,        CoordinateMode::pytorch_half_pixel,
    CoordinateMode::half_pixel_symmetric, CoordinateMode::tf_half_pixel_for_nn};

fb::ResizeAttrsT sized(ResizeMode mode, std::vector<std::int64_t> sizes) {
  fb::ResizeAttrsT attrs;
  attrs.mode = mode;
  attrs.sizes = std::move(sizes);
  return attrs;
}

TEST(Resize, NearestInEveryMode) {
  for (CoordinateMode coordinates : kCoordinates)
    for (NearestMode nearest : {NearestMode::round_prefer_floor, NearestMode::round_prefer_ceil,
                                NearestMode::floor, NearestMode::ceil})
      for (const auto& sizes :
           {std::vector<std::int64_t>{1, 8, 8, 3}, {1, 3, 7, 3}, {2, 1, 9, 5}}) {
        fb::ResizeAttrsT attrs = sized(ResizeMode::nearest, sizes);
        attrs.coordinates = coordinates;
        attrs.nearest = nearest;
        for (DType dtype : {DType::float32, DType::uint8, DType::float64})
          check_resize(attrs, dtype, {1, 4, 4, 3});
      }
}

TEST(Resize, WeightedInEveryMode) {
  for (ResizeMode mode : {ResizeMode::linear, ResizeMode::cubic})
    for (CoordinateMode coordinates : kCoordinates)
      for (const auto& sizes : {std::vector<std::int64_t>{1, 9, 11, 3}, {1, 3, 2, 3}, {2, 1, 9, 5}})
        for (int form = 0; form < 4; ++form) {
          fb::ResizeAttrsT attrs = sized(mode, sizes);
          attrs.coordinates = coordinates;
          attrs.antialias = (form & 1) != 0;
          // Asymmetric placements may leave nothing inside to be renormalised.
          attrs.exclude_outside = (form & 2) != 0 && coordinates == CoordinateMode::half_pixel;
          for_each_table([&](const cpu::KernelTable& table) {
            check_resize(attrs, DType::float32, {1, 5, 7, 3}, &table);
          });
          for (DType dtype : {DType::float64, DType::float16, DType::uint8, DType::int32})
            check_resize(attrs, dtype, {1, 5, 7, 3});
        }
}

TEST(Resize, GivenScalesNeedNotBeTheRatio) {
  for (ResizeMode mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic})
    for (CoordinateMode coordinates : kCoordinates) {
      fb::ResizeAttrsT attrs = sized(mode, {1, 3, 2, 2});
      attrs.scales = {1, 0.6f, 0.55f, 1};
      attrs.coordinates = coordinates;
      check_resize(attrs, DType::float32, {1, 5, 5, 2});
    }
}

TEST(Resize, CropAndResize) {
  for (ResizeMode mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic}) {
    fb::ResizeAttrsT attrs = sized(mode, {1, 3, 4, 2});
    attrs.coordinates = CoordinateMode::tf_crop_and_resize;
    attrs.roi = {0, 0.4f, -0.6f, 0, 1, 1.2f, 1.7f, 1};
    attrs.extrapolation = 10;
    check_resize(attrs, DType::float32, {1, 6, 5, 2});
    check_resize(attrs, DType::uint8, {1, 6, 5, 2});
  }
}

TEST(Resize, EveryAxisAndLayout) {
  for_each_table([](const cpu::KernelTable& table) {
    check_resize(sized(ResizeMode::linear, {1, 80, 60, 17}), DType::float32, {1, 40, 33, 17},
                 &table);
    check_resize(sized(ResizeMode::linear, {1, 3, 20, 30}), DType::float32, {1, 3, 10, 15}, &table);
    check_resize(sized(ResizeMode::linear, {4, 3, 4, 3, 5}), DType::float32, {2, 3, 2, 3, 7},
                 &table);
    check_resize(sized(ResizeMode::linear, {2, 4, 3, 5, 2}), DType::float32, {2, 2, 3, 7, 2},
                 &table);
    check_resize(sized(ResizeMode::cubic, {7}), DType::float32, {20}, &table);
    check_resize(sized(ResizeMode::linear, {2, 3}), DType::float32, {2, 3}, &table);
    check_resize(sized(ResizeMode::nearest, {1, 80, 66, 24}), DType::float32, {1, 40, 33, 24},
                 &table);
  });
  check_resize(sized(ResizeMode::nearest, {}), DType::float32, {});
  check_resize(sized(ResizeMode::linear, {}), DType::float32, {});
  for (ResizeMode mode : {ResizeMode::nearest, ResizeMode::linear})
    EXPECT_EQ(run_op(fb::OpKind::resize, sized(mode, {1, 0, 4}),
                     {random_tensor(DType::float32, {1, 3, 2})})[0]
                  .elements(),
              0);
}

TEST(Resize, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {1, 4, 4});
  const auto op = fb::OpKind::resize;
  const fb::ResizeAttrsT good = sized(ResizeMode::linear, {1, 8, 8});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{},
                                                 {8, 8},
                                                 {1, -8, 8},
                                                 {1, INT64_MAX, INT64_MAX},
                                                 {1, 8, INT64_MIN}})
    expect_refused(op, sized(ResizeMode::linear, sizes), {x});
  for (const std::vector<float>& scales :
       {std::vector<float>{1}, {1, 0, 2}, {1, -2, 2}, {1, nan, 2}, {1, 1e-30f, 2}, {1, 1e30f, 2}}) {
    fb::ResizeAttrsT attrs = good;
    attrs.scales = scales;
    expect_refused(op, attrs, {x});
  }
  fb::ResizeAttrsT attrs = good;
  attrs.antialias = true;
  attrs.scales = {1, 1e-9f, 1};
  expect_refused(op, attrs, {x});
  attrs = good;
  attrs.roi = {0, 0, 0, 1, 1, nan};
  expect_refused(op, attrs, {x});
  attrs.roi = {0, 0, 0, 1};
  expect_refused(op, attrs, {x});
  attrs = good;
  attrs.mode = static_cast<ResizeMode>(3);
  expect_refused(op, attrs, {x});
  attrs = good;
  attrs.coordinates = static_cast<CoordinateMode>(7);
  expect_refused(op, attrs, {x});
  attrs = good;
  attrs.nearest = static_cast<NearestMode>(4);
  expect_refused(op, attrs, {x});
  attrs = good;
  attrs.cubic_a = nan;
  expect_refused(op, attrs, {x});
  expect_refused(op, good, {tensor_of(DType::float32, {1, 0, 4}, {})});
  expect_refused(op, good, {random_bytes(DType::boolean, {1, 4, 4}, 1)});
}

}  // namespace
}  // namespace skiff::test
