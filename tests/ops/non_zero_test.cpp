#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

void check_non_zero(const TensorData& x) {
  std::vector<Index> found;
  const std::vector<double> numbers = x.numbers();
  for_each_index(x.shape, [&](const Index& i) {
    if (numbers[static_cast<std::size_t>(flat(x.shape, i))] != 0) found.push_back(i);
  });
  const auto y = run_op(fb::OpKind::non_zero, {}, {x});
  ASSERT_EQ(y[0].shape, (Shape{x.shape.rank(), static_cast<std::int64_t>(found.size())}));
  std::vector<std::int64_t> expected;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(x.shape.rank()); ++axis)
    for (const Index& i : found) expected.push_back(i[axis]);
  EXPECT_EQ(y[0].values<std::int64_t>(), expected);
}

TEST(NonZero, EveryTypeRankAndCount) {
  for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::int8,
                      DType::uint64, DType::int32}) {
    for (const Shape& shape : {Shape{7}, Shape{3, 4}, Shape{2, 3, 5, 2}, Shape{0}, Shape{3, 0}}) {
      std::vector<double> numbers = random_numbers(shape.elements(), -2, 2);
      for (double& v : numbers) v = std::floor(v);
      if (dtype == DType::uint64)
        for (double& v : numbers) v = std::abs(v);
      check_non_zero(tensor_of(dtype, shape, numbers));
      check_non_zero(tensor_of(dtype, shape, std::vector<double>(numbers.size(), 0)));
      check_non_zero(tensor_of(dtype, shape, std::vector<double>(numbers.size(), 1)));
    }
  }
  check_non_zero(tensor<bool>({2, 2}, {true, false, false, true}));
  check_non_zero(tensor<float>({3}, {-0.0f, NAN, 1e-45f}));
}

TEST(NonZero, NoNumberAtAll) {
  EXPECT_EQ(run_op(fb::OpKind::non_zero, {}, {tensor<float>(Shape(), {2.0f})})[0].shape,
            (Shape{0, 1}));
}

}  // namespace
}  // namespace skiff::test
