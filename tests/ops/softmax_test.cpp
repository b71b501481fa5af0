#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

using fb::SoftmaxFunction;

fb::SoftmaxAttrsT attributes(SoftmaxFunction function, int axis, float scale = 1) {
  fb::SoftmaxAttrsT attrs;
  attrs.function = function;
  attrs.axis = axis;
  attrs.scale = scale;
  return attrs;
}

std::vector<double> reference(SoftmaxFunction f, double scale, const std::vector<double>& lane) {
  std::vector<double> y;
  double sum = 0;
  for (const double v : lane) sum += std::exp(scale * v);
  const auto best = std::max_element(lane.begin(), lane.end()) - lane.begin();
  for (std::size_t i = 0; i < lane.size(); ++i) {
    if (f == SoftmaxFunction::softmax) y.push_back(std::exp(scale * lane[i]) / sum);
    if (f == SoftmaxFunction::log_softmax) y.push_back(scale * lane[i] - std::log(sum));
    if (f == SoftmaxFunction::hardmax) y.push_back(static_cast<std::ptrdiff_t>(i) == best);
  }
  return y;
}

void check_softmax(SoftmaxFunction f, const TensorData& x, int axis, float scale = 1,
                   const OpOptions& options = {}) {
  SCOPED_TRACE(message(fb::EnumNameSoftmaxFunction(f), " of ", x.dtype, " ", x.shape, " axis ",
                       axis, " scale ", static_cast<double>(scale)));
  const auto y = run_op(fb::OpKind::softmax, attributes(f, axis, scale), {x}, options);
  expect_near(
      y[0],
      map_lanes(x, axis, x.shape[axis],
                [&](const auto& lane) { return reference(f, static_cast<double>(scale), lane); }),
      rounding(x.dtype, 64), rounding(x.dtype, 8));
}

constexpr SoftmaxFunction kFunctions[] = {SoftmaxFunction::softmax, SoftmaxFunction::log_softmax,
                                          SoftmaxFunction::hardmax};

TEST(Softmax, EveryAxisAndType) {
  for (SoftmaxFunction f : kFunctions)
    for (DType dtype : kFloats)
      for (int axis = 0; axis < 3; ++axis) {
        check_softmax(f, random_tensor(dtype, {3, 17, 5}), axis);
        check_softmax(f, random_tensor(dtype, {3, 5, 5}), axis, -0.5f);
      }
}

TEST(Softmax, EveryLength) {
  for_each_table([](const cpu::KernelTable& table) {
    const OpOptions options{1, &table, "node"};
    for (SoftmaxFunction f : {SoftmaxFunction::softmax, SoftmaxFunction::log_softmax}) {
      for (std::int64_t n = 1; n < 70; ++n) {
        check_softmax(f, random_tensor(DType::float32, {3, n}), 1, 1, options);
        check_softmax(f, random_tensor(DType::float32, {3, n}), 0, 1, options);
      }
      check_softmax(f, random_tensor(DType::float32, {2, 5000}), 1, 0.125f, options);
      check_softmax(f, random_tensor(DType::float32, {2, 21, 700}), 1, 1, options);
    }
  });
}

TEST(Softmax, LargeAndMaskedValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  const TensorData x = tensor<float>({2, 3}, {1000, 1000, -infinity, -1e30f, 0, -200});
  for_each_table([&](const cpu::KernelTable& table) {
    const auto y = run_op(fb::OpKind::softmax, attributes(SoftmaxFunction::softmax, 1), {x},
                          {1, &table, "node"});
    expect_near(y[0], {0.5, 0.5, 0, 0, 1, 0}, 1e-6, 1e-30);
  });
  const TensorData nothing = tensor<float>({1, 2}, {-infinity, -infinity});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_near(run_op(fb::OpKind::softmax, attributes(SoftmaxFunction::softmax, 1), {nothing})[0],
              {nan, nan}, 0);
}

TEST(Softmax, EmptyTensors) {
  for (const Shape& shape : {Shape{0, 3}, Shape{3, 0}})
    for (int axis = 0; axis < 2; ++axis)
      for (SoftmaxFunction f : kFunctions)
        EXPECT_EQ(run_op(fb::OpKind::softmax, attributes(f, axis),
                         {tensor_of(DType::float32, shape, {})})[0]
                      .elements(),
                  0);
}

TEST(Softmax, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3});
  for (int axis : {-1, 2, 1'000'000})
    expect_refused(fb::OpKind::softmax, attributes(SoftmaxFunction::softmax, axis), {x});
  expect_refused(fb::OpKind::softmax, attributes(static_cast<SoftmaxFunction>(3), 0), {x});
  expect_refused(fb::OpKind::softmax,
                 attributes(SoftmaxFunction::softmax, 0, std::numeric_limits<float>::infinity()),
                 {x});
  expect_refused(fb::OpKind::softmax, attributes(SoftmaxFunction::softmax, 0),
                 {tensor<int>({1}, {1})});
  expect_refused(fb::OpKind::softmax, attributes(SoftmaxFunction::softmax, 0),
                 {tensor<float>({}, {1})});
}

}  // namespace
}  // namespace skiff::test
