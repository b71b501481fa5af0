#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

fb::LrnAttrsT attributes(std::int64_t size, float alpha = 1e-2f, float beta = 0.75f,
                         float bias = 1) {
  fb::LrnAttrsT attrs;
  attrs.size = size;
  attrs.alpha = alpha;
  attrs.beta = beta;
  attrs.bias = bias;
  return attrs;
}

std::vector<double> reference(const fb::LrnAttrsT& a, const std::vector<double>& pixel) {
  const auto channels = static_cast<std::int64_t>(pixel.size());
  std::vector<double> y;
  for (std::int64_t c = 0; c < channels; ++c) {
    double sum = 0;
    for (std::int64_t i = c - (a.size - 1) / 2; i <= c + a.size / 2; ++i)
      if (i >= 0 && i < channels)
        sum += pixel[static_cast<std::size_t>(i)] * pixel[static_cast<std::size_t>(i)];
    y.push_back(pixel[static_cast<std::size_t>(c)] /
                std::pow(static_cast<double>(a.bias) +
                             static_cast<double>(a.alpha) / static_cast<double>(a.size) * sum,
                         static_cast<double>(a.beta)));
  }
  return y;
}

void check_lrn(DType dtype, const Shape& shape, const fb::LrnAttrsT& attrs,
               const cpu::KernelTable* table = nullptr) {
  SCOPED_TRACE(message(dtype, " ", shape, " size ", attrs.size));
  const TensorData x = random_tensor(dtype, shape, -9, 9);
  const int axis = shape.rank() - 1;
  expect_near(
      run_op(fb::OpKind::lrn, attrs, {x}, {1, table, "node"})[0],
      map_lanes(x, axis, shape[axis], [&](const auto& pixel) { return reference(attrs, pixel); }),
      rounding(dtype, 64), rounding(dtype, 2));
}

TEST(Lrn, EverySizeAndType) {
  for (std::int64_t size : {1, 2, 3, 4, 5, 8, 33, 100}) {
    for (DType dtype : kFloats) check_lrn(dtype, {2, 3, 11}, attributes(size));
    for_each_table([&](const cpu::KernelTable& table) {
      check_lrn(DType::float32, {2, 2, 700}, attributes(size), &table);
      check_lrn(DType::float32, {3, 40}, attributes(size, 0.1f, 0.5f, 2), &table);
    });
  }
}

TEST(Lrn, EveryNumberOfChannels) {
  for (std::int64_t channels : {1, 2, 31, 32, 33, 255, 256, 257, 5000})
    for (std::int64_t size : {4, 5})
      for (DType dtype : {DType::float32, DType::float16})
        check_lrn(dtype, {3, channels}, attributes(size, 0.3f, 0.6f, 1.5f));
}

TEST(Lrn, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t size : {std::int64_t{0}, std::int64_t{-5}, INT64_MIN})
    expect_refused(fb::OpKind::lrn, attributes(size), {x});
  expect_refused(fb::OpKind::lrn, attributes(3, nan), {x});
  expect_refused(fb::OpKind::lrn, attributes(3, 1, nan), {x});
  expect_refused(fb::OpKind::lrn, attributes(3, 1, 1, nan), {x});
  // The widest window there can be: alpha / size is nothing.
  expect_near(run_op(fb::OpKind::lrn, attributes(INT64_MAX), {x})[0], x.numbers(), 1e-6);
}

}  // namespace
}  // namespace skiff::test
