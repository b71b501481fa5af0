#include <map>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

using Row = std::vector<double>;

/// The slices along an axis, or single numbers (axis -1).
std::vector<Row> slices(const TensorData& x, int axis) {
  std::vector<Row> rows;
  if (axis < 0) {
    for (double v : x.numbers()) rows.push_back({v});
    return rows;
  }
  std::vector<std::int64_t> others;
  for (int i = 0; i < x.shape.rank(); ++i)
    if (i != axis) others.push_back(i);
  return groups_of(x, others);
}

void check_unique(const TensorData& x, int axis, bool sorted) {
  const std::vector<Row> rows = slices(x, axis);
  std::map<Row, std::int64_t> first, times;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    first.emplace(rows[i], static_cast<std::int64_t>(i));
    ++times[rows[i]];
  }
  std::vector<Row> order;
  for (const auto& [row, place] : first) order.push_back(row);
  if (!sorted)
    std::sort(order.begin(), order.end(),
              [&](const Row& a, const Row& b) { return first[a] < first[b]; });
  fb::UniqueAttrsT attrs;
  attrs.axis = axis;
  attrs.sorted = sorted;
  const auto y = run_op(fb::OpKind::unique, attrs, {x}, {4, nullptr, "node"});
  EXPECT_EQ(slices(y[0], axis), order);
  std::vector<std::int64_t> firsts, kinds, counts;
  for (const Row& row : order) {
    firsts.push_back(first[row]);
    counts.push_back(times[row]);
  }
  for (const Row& row : rows)
    kinds.push_back(std::find(order.begin(), order.end(), row) - order.begin());
  EXPECT_EQ(y[1].values<std::int64_t>(), firsts);
  EXPECT_EQ(y[2].values<std::int64_t>(), kinds);
  EXPECT_EQ(y[3].values<std::int64_t>(), counts);
}

TEST(Unique, EveryAxisTypeAndOrder) {
  for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::int8, DType::uint64})
    for (const Shape& shape : {Shape{17}, Shape{6, 2}, Shape{2, 5, 2}}) {
      std::vector<double> numbers = random_numbers(shape.elements(), 0, 3);
      for (double& v : numbers) v = std::floor(v);
      for (int axis = -1; axis < shape.rank(); ++axis)
        for (bool sorted : {false, true})
          check_unique(tensor_of(dtype, shape, numbers), axis, sorted);
    }
  check_unique(random_tensor(DType::float32, {300}), -1, true);
}

TEST(Unique, NothingAndNan) {
  check_unique(tensor<float>({0}, std::vector<float>()), -1, true);
  const auto y =
      run_op(fb::OpKind::unique, fb::UniqueAttrsT(), {tensor<float>({4}, {NAN, 1, NAN, -1})});
  ASSERT_EQ(y[0].shape, (Shape{3}));
  EXPECT_EQ(y[0].values<float>()[0], -1);
  EXPECT_TRUE(std::isnan(y[0].values<float>()[2]));
}

TEST(Unique, Hostile) {
  fb::UniqueAttrsT attrs;
  for (std::int64_t axis : {-2, 2}) {
    attrs.axis = axis;
    expect_refused(fb::OpKind::unique, attrs, {random_bytes(DType::float32, {3, 4}, 1)});
  }
}

}  // namespace
}  // namespace skiff::test
