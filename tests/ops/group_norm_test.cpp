#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

fb::NormAttrsT attributes(std::int64_t groups, float epsilon = 1e-5f) {
  fb::NormAttrsT attrs;
  attrs.groups = groups;
  attrs.epsilon = epsilon;
  return attrs;
}

std::vector<double> reference(const TensorData& x, std::int64_t groups, double epsilon,
                              const std::vector<double>& scale, const std::vector<double>& bias) {
  const std::int64_t channels = x.shape.back(), width = channels / groups;
  const std::int64_t pixels = x.shape.elements(1, x.shape.rank() - 1);
  const std::vector<double> v = x.numbers();
  std::vector<double> y(v.size());
  for (std::int64_t n = 0; n < x.shape[0]; ++n)
    for (std::int64_t g = 0; g < groups; ++g) {
      std::vector<std::size_t> members;
      for (std::int64_t i = 0; i < pixels; ++i)
        for (std::int64_t c = g * width; c < (g + 1) * width; ++c)
          members.push_back(static_cast<std::size_t>((n * pixels + i) * channels + c));
      double mean = 0, square = 0;
      for (const std::size_t i : members) mean += v[i] / static_cast<double>(members.size());
      for (const std::size_t i : members)
        square += (v[i] - mean) * (v[i] - mean) / static_cast<double>(members.size());
      for (const std::size_t i : members) {
        const std::size_t c = i % static_cast<std::size_t>(channels);
        y[i] = (v[i] - mean) / std::sqrt(square + epsilon) * (scale.empty() ? 1 : scale[c]) +
               (bias.empty() ? 0 : bias[c]);
      }
    }
  return y;
}

void check_group_norm(DType dtype, const Shape& shape, std::int64_t groups,
                      const cpu::KernelTable* table = nullptr) {
  SCOPED_TRACE(message(dtype, " ", shape, " groups ", groups));
  const TensorData x = random_tensor(dtype, shape, 3, 9);
  const TensorData scale = random_tensor(dtype, {shape.back()}, 0.5, 2, 2);
  const TensorData bias = random_tensor(dtype, {shape.back()}, -1, 1, 3);
  const double epsilon = static_cast<double>(1e-5f);
  const OpOptions options{1, table, "node"};
  expect_near(run_op(fb::OpKind::group_norm, attributes(groups), {x, scale, bias}, options)[0],
              reference(x, groups, epsilon, scale.numbers(), bias.numbers()), rounding(dtype, 64),
              rounding(dtype, 64));
  expect_near(run_op(fb::OpKind::group_norm, attributes(groups), {x}, options)[0],
              reference(x, groups, epsilon, {}, {}), rounding(dtype, 64), rounding(dtype, 64));
}

TEST(GroupNorm, EveryTypeAndGrouping) {
  for (DType dtype : kFloats)
    for (std::int64_t groups : {1, 2, 3, 6, 12}) check_group_norm(dtype, {2, 5, 3, 12}, groups);
  for_each_table([](const cpu::KernelTable& table) {
    check_group_norm(DType::float32, {1, 19, 23, 200}, 200, &table);
    check_group_norm(DType::float32, {2, 19, 7, 96}, 32, &table);
    check_group_norm(DType::float32, {1, 4, 130}, 1, &table);
    check_group_norm(DType::float32, {3, 5}, 5, &table);
    check_group_norm(DType::float32, {2, 2, 3, 4, 8}, 4, &table);
  });
}

TEST(GroupNorm, EmptyTensors) {
  for (const Shape& shape : {Shape{0, 2, 4}, Shape{2, 0, 4}, Shape{2, 3, 0}})
    EXPECT_EQ(
        run_op(fb::OpKind::group_norm, attributes(2), {tensor_of(DType::float32, shape, {})})[0]
            .elements(),
        0);
}

TEST(GroupNorm, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3, 6});
  const auto op = fb::OpKind::group_norm;
  for (std::int64_t groups :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{4}, INT64_MAX, INT64_MIN})
    expect_refused(op, attributes(groups), {x});
  expect_refused(op, attributes(2, std::numeric_limits<float>::infinity()), {x});
  expect_refused(op, attributes(2), {x, random_tensor(DType::float32, {3})});
  expect_refused(op, attributes(1), {random_tensor(DType::float32, {6})});
}

}  // namespace
}  // namespace skiff::test
