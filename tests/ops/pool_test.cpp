#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/op_runner.h"
#include "tests/support/reference_pool.h"

namespace skiff::test {
namespace {

using Axis = std::vector<std::int64_t>;

struct Case {
  PoolKind kind = PoolKind::maximum;
  std::int64_t batch = 1, channels = 1;
  Axis in, kernel, stride{}, dilation{}, pads{};
  bool ceil_mode = false, count_include_pad = false;
  std::int64_t p = 2;
};

fb::PoolAttrsT attributes_of(const Case& c) {
  fb::PoolAttrsT attrs;
  attrs.function = c.kind == PoolKind::maximum   ? fb::PoolFunction::maximum
                   : c.kind == PoolKind::average ? fb::PoolFunction::average
                                                 : fb::PoolFunction::lp;
  attrs.kernel = c.kernel;
  attrs.strides = c.stride;
  attrs.dilations = c.dilation;
  attrs.pads = c.pads;
  attrs.ceil_mode = c.ceil_mode;
  attrs.count_include_pad = c.count_include_pad;
  attrs.p = c.p;
  return attrs;
}

Shape input_shape(const Case& c) {
  Shape shape{c.batch};
  for (std::int64_t extent : c.in) shape.push_back(extent);
  shape.push_back(c.channels);
  return shape;
}

Axis three(const Axis& values, std::int64_t fill) {
  Axis result(3 - values.size(), fill);
  result.insert(result.end(), values.begin(), values.end());
  return result;
}

PoolResult expected_of(const Case& c, const std::vector<double>& x, const Shape& out) {
  const std::size_t n = c.in.size();
  const auto half = static_cast<Axis::difference_type>(n);
  ReferencePool r{c.kind, c.batch, c.channels, three(c.in, 1), three(c.kernel, 1)};
  r.stride = three(c.stride.empty() ? Axis(n, 1) : c.stride, 1);
  r.dilation = three(c.dilation.empty() ? Axis(n, 1) : c.dilation, 1);
  const Axis pads = c.pads.empty() ? Axis(2 * n, 0) : c.pads;
  r.pad_begin = three(Axis(pads.begin(), pads.begin() + half), 0);
  r.pad_end = three(Axis(pads.begin() + half, pads.end()), 0);
  Axis extents;
  for (int i = 1; i + 1 < out.rank(); ++i) extents.push_back(out[i]);
  r.out = three(extents, 1);
  r.count_include_pad = c.count_include_pad;
  r.p = static_cast<double>(c.p);
  return reference_pool(r, x);
}

void expect_equal(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i])))
        << i << ": " << found[i] << " and " << expected[i];
}

void check_case(const Case& c, DType dtype = DType::float32) {
  const Shape shape = input_shape(c);
  const bool integers = size_of(dtype) == 1;
  const auto numbers =
      integers ? random_numbers(shape.elements(), 0, 100) : random_numbers(shape.elements(), -1, 1);
  const TensorData x = tensor_of(dtype, shape, numbers);
  for_each_table([&](const cpu::KernelTable& table) {
    const auto y = run_op(fb::OpKind::pool, attributes_of(c), {x}, OpOptions{.table = &table});
    const PoolResult expected = expected_of(c, x.numbers(), y[0].shape);
    if (c.kind == PoolKind::maximum)
      EXPECT_EQ(y[0].numbers(), expected.value);
    else
      expect_near(y[0], expected.value, rounding(dtype, 4), 1e-6);
  });
}

TEST(Pool, WindowsOfManyShapes) {
  for (const PoolKind kind : {PoolKind::maximum, PoolKind::average})
    for (std::int64_t channels : {1, 3, 15, 16, 17, 64, 255})
      for (std::int64_t width : {2, 7, 8})
        for (std::int64_t stride : {1, 2})
          check_case({.kind = kind,
                      .batch = 2,
                      .channels = channels,
                      .in = {5, width},
                      .kernel = {3, 2},
                      .stride = {stride, stride},
                      .pads = {1, 0, 1, 1}});
}

TEST(Pool, PaddingCeilModeAndDilation) {
  for (const PoolKind kind : {PoolKind::maximum, PoolKind::average})
    for (const bool ceil_mode : {false, true})
      for (const bool count : {false, true}) {
        check_case({.kind = kind,
                    .channels = 5,
                    .in = {7, 8},
                    .kernel = {3, 3},
                    .stride = {2, 3},
                    .pads = {1, 1, 1, 1},
                    .ceil_mode = ceil_mode,
                    .count_include_pad = count});
        check_case({.kind = kind,
                    .channels = 18,
                    .in = {9, 10},
                    .kernel = {2, 3},
                    .stride = {2, 2},
                    .dilation = {3, 2},
                    .pads = {0, 2, 1, 0},
                    .ceil_mode = ceil_mode,
                    .count_include_pad = count});
      }
}

TEST(Pool, WholeImage) {
  check_case(
      {.kind = PoolKind::average, .batch = 3, .channels = 70, .in = {14, 15}, .kernel = {14, 15}});
  check_case({.kind = PoolKind::maximum, .channels = 20, .in = {14, 15}, .kernel = {14, 15}});
}

TEST(Pool, OneAndThreeAxes) {
  for (const PoolKind kind : {PoolKind::maximum, PoolKind::average, PoolKind::lp}) {
    check_case({.kind = kind,
                .batch = 2,
                .channels = 17,
                .in = {20},
                .kernel = {3},
                .stride = {2},
                .pads = {1, 1}});
    check_case({.kind = kind,
                .channels = 6,
                .in = {5, 4, 6},
                .kernel = {2, 3, 2},
                .stride = {2, 1, 2},
                .pads = {1, 1, 0, 0, 1, 0},
                .ceil_mode = true});
  }
  check_case({.kind = PoolKind::lp, .channels = 6, .in = {5, 4}, .kernel = {2, 3}, .p = 3});
}

TEST(Pool, OtherTypes) {
  const Case c{
      .channels = 5, .in = {6, 5}, .kernel = {3, 3}, .stride = {2, 2}, .pads = {1, 1, 1, 1}};
  for (const DType dtype :
       {DType::float64, DType::float16, DType::bfloat16, DType::int8, DType::uint8})
    check_case(c, dtype);
}

/// A NaN is the largest, wherever in the window it lies; the first one, where its place is asked.
TEST(Pool, MaximaWithNan) {
  const Case c{.channels = 19, .in = {7, 7}, .kernel = {3, 3}, .stride = {1, 2}, .pads{1, 1, 1, 1}};
  const Shape shape = input_shape(c);
  for (const DType dtype : {DType::float32, DType::float16, DType::float64})
    for (const int outputs : {1, 2}) {
      std::vector<double> numbers = random_numbers(shape.elements(), -1, 1);
      for (std::size_t i = 3; i < numbers.size(); i += 37) numbers[i] = std::nan("");
      for (std::size_t i = 5; i < numbers.size(); i += 31)
        numbers[i] = -std::numeric_limits<double>::infinity();
      const TensorData x = tensor_of(dtype, shape, numbers);
      for_each_table([&](const cpu::KernelTable& table) {
        const auto y = run_op(fb::OpKind::pool, attributes_of(c), {x},
                              OpOptions{.outputs = outputs, .table = &table});
        const PoolResult expected = expected_of(c, x.numbers(), y[0].shape);
        expect_equal(y[0].numbers(), expected.value);
        for (std::size_t i = 0; outputs > 1 && i < expected.pixel.size(); ++i)
          EXPECT_EQ(y[1].values<std::int64_t>()[i] / c.channels, expected.pixel[i]);
      });
    }
}

TEST(Pool, IndicesOfMaxima) {
  const Case c{.batch = 2, .channels = 3, .in = {5, 6}, .kernel = {2, 3}, .stride = {2, 1}};
  const Shape shape = input_shape(c);
  const TensorData x = tensor_of(DType::float32, shape, random_numbers(shape.elements(), -1, 1));
  for (const bool channels_first : {false, true})
    for (const bool column_major : {false, true}) {
      fb::PoolAttrsT attrs = attributes_of(c);
      attrs.index_channels_first = channels_first;
      attrs.column_major = column_major;
      const auto y = run_op(fb::OpKind::pool, attrs, {x}, OpOptions{.outputs = 2});
      const PoolResult expected = expected_of(c, x.numbers(), y[0].shape);
      const auto indices = y[1].values<std::int64_t>();
      const std::int64_t per_image = y[0].elements() / c.batch;
      for (std::size_t i = 0; i < indices.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        const std::int64_t image = at / per_image, channel = at % c.channels;
        std::int64_t pixel = expected.pixel[i];
        if (column_major) pixel = pixel % 6 * 5 + pixel / 6;
        EXPECT_EQ(indices[i], channels_first ? (image * c.channels + channel) * 30 + pixel
                                             : (image * 30 + pixel) * c.channels + channel);
      }
    }
}

TEST(Pool, HostileAttributes) {
  const Case good{.channels = 2, .in = {5, 5}, .kernel = {3, 3}};
  const TensorData x = tensor_of(DType::float32, input_shape(good), std::vector<double>(50));
  const auto refused = [&](auto change) {
    fb::PoolAttrsT attrs = attributes_of(good);
    change(attrs);
    expect_refused(fb::OpKind::pool, attrs, {x});
  };
  refused([](auto& a) { a.kernel = {}; });
  refused([](auto& a) { a.kernel = {3}; });
  refused([](auto& a) { a.kernel = {3, 6}; });
  refused([](auto& a) { a.kernel = {3, 0}; });
  refused([](auto& a) { a.strides = {1, INT64_MAX}; });
  refused([](auto& a) { a.strides = {0, 1}; });
  refused([](auto& a) { a.dilations = {1, -1}; });
  refused([](auto& a) { a.pads = {1, 1, 1}; });
  refused([](auto& a) { a.pads = {1, 1, 1, INT64_MIN}; });
  refused([](auto& a) { a.function = static_cast<fb::PoolFunction>(9); });
  refused([](auto& a) {
    a.function = fb::PoolFunction::lp;
    a.p = 0;
  });
}

}  // namespace
}  // namespace skiff::test
