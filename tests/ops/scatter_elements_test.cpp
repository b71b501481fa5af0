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

TEST(ScatterElements, ManyUpdatesOfOneElement) {
  for (Reduction reduction : fb::EnumValuesScatterReduction()) {
    // Products of many small numbers leave the range in which doubles are exact.
    const DType dtype = reduction == Reduction::mul ? DType::int8 : DType::float32;
    for (std::int64_t steps : {std::int64_t{32}, std::int64_t{33}, std::int64_t{300}}) {
      if (reduction == Reduction::mul && steps > 40) continue;
      const TensorData x = small_numbers(dtype, {2, 7, 3}, 1);
      const TensorData indices = random_indices(DType::int64, {2, steps, 2}, 7, 3);
      TensorData updates = small_numbers(dtype, indices.shape, 2);
      if (reduction == Reduction::mul)
        updates = tensor_of(dtype, indices.shape,
                            std::vector<double>(static_cast<std::size_t>(4 * steps), -1.0));
      check_scatter(x, indices, updates, 1, reduction);
    }
  }
}

TEST(ScatterElements, EdgeShapes) {
  const auto check = [](const Shape& x, const Shape& indices, int axis) {
    const TensorData where = random_indices(DType::int32, indices, x[axis], 2);
    for (Reduction reduction : {Reduction::none, Reduction::add})
      check_scatter(small_numbers(DType::float32, x, 1), where,
                    small_numbers(DType::float32, indices, 3), axis, reduction);
  };
  check({5}, {70000}, 0);
  check({300, 20}, {290, 19}, 0);
  check({300, 200}, {300, 35}, 1);
  check({1, 3}, {5, 3}, 0);
  check({2, 1, 3, 4, 2}, {2, 1, 3, 40, 1}, 3);
  check({2, 3}, {0, 3}, 0);
  check({2, 0, 3}, {5, 0, 3}, 0);
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
  std::vector<std::int64_t> many(40, 0);
  many[17] = 3;
  expect_bad_value(op, scatter(0, none),
                   {random_bytes(DType::float32, {3}, 1), tensor<std::int64_t>({40}, many),
                    random_bytes(DType::float32, {40}, 2)});
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
