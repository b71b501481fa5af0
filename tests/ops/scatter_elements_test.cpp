#include "tests/support/reference_scatter.h"

namespace skiff::test {
namespace {

void check_scatter(const TensorData& x, const TensorData& indices, const TensorData& updates,
                   int axis, Reduction reduction) {
  std::vector<double> expected = x.numbers();
  const auto where = indices.numbers(), what = updates.numbers();
  std::size_t n = 0;
  for_each_index(indices.shape, [&](Index index) {
    auto i = static_cast<std::int64_t>(where[n]);
    index[static_cast<std::size_t>(axis)] = i < 0 ? i + x.shape[axis] : i;
    double& place = expected[static_cast<std::size_t>(flat(x.shape, index))];
    place = reduced(reduction, place, what[n++]);
  });
  const auto y =
      run_op(fb::OpKind::scatter_elements, scatter(axis, reduction), {x, indices, updates});
  EXPECT_EQ(y[0].numbers(), expected);
}

TEST(ScatterElements, EveryReductionAndType) {
  for (Reduction reduction : fb::EnumValuesScatterReduction()) {
    for (DType dtype : kNumeric) {
      const TensorData x = small_numbers(dtype, {3, 4, 5}, 1);
      for (int axis = 0; axis < 3; ++axis) {
        const TensorData indices =
            random_indices(axis == 1 ? DType::int32 : DType::int64, {2, 3, 2}, x.shape[axis], 1);
        check_scatter(x, indices, small_numbers(dtype, indices.shape, 2), axis, reduction);
      }
    }
  }
  const TensorData bits = tensor_of(DType::boolean, {3}, {0, 0, 1});
  check_scatter(bits, tensor<std::int64_t>({1}, {1}), tensor_of(DType::boolean, {1}, {1}), 0,
                Reduction::none);
}

TEST(ScatterElements, WrapsWithoutOverflow) {
  const auto y = run_op(fb::OpKind::scatter_elements, scatter(0, Reduction::mul),
                        {tensor<std::int64_t>({1}, {INT64_MAX}), tensor<std::int64_t>({1}, {0}),
                         tensor<std::int64_t>({1}, {2})});
  EXPECT_EQ(y[0].values<std::int64_t>()[0], -2);
}

TEST(ScatterElements, Hostile) {
  const auto op = fb::OpKind::scatter_elements;
  const auto none = Reduction::none;
  const TensorData x = random_bytes(DType::float32, {3, 2}, 1), u = tensor<float>({1, 2}, {0, 1});
  for (std::int64_t bad : {std::int64_t{3}, std::int64_t{-4}, INT64_MAX, INT64_MIN})
    expect_bad_value(op, scatter(0, none), {x, tensor<std::int64_t>({1, 2}, {0, bad}), u});
  const TensorData good = tensor<std::int64_t>({1, 2}, {0, 1});
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX, INT64_MIN})
    expect_refused(op, scatter(axis, none), {x, good, u});
  expect_refused(op, scatter(0, static_cast<Reduction>(9)), {x, good, u});
  expect_refused(op, scatter(0, none), {x, u, u});
  expect_refused(op, scatter(0, none), {x, good, good});
  expect_refused(op, scatter(0, none), {x, good, tensor<float>({2, 1}, {0, 1})});
  expect_refused(op, scatter(0, none),
                 {x, tensor<std::int64_t>({1, 3}, {0, 1, 1}), tensor<float>({1, 3}, {0, 1, 1})});
}

}  // namespace
}  // namespace skiff::test
