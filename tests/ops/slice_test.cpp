#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

fb::SliceAttrsT slice(const Numbers& starts, const Numbers& sizes, const Numbers& steps) {
  fb::SliceAttrsT attrs;
  attrs.starts = starts;
  attrs.sizes = sizes;
  attrs.steps = steps;
  return attrs;
}

TEST(Slice, EveryRankAndSize) {
  std::mt19937 generator(1);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(generator);
  };
  for (DType dtype : kSizes) {
    for (int round = 0; round < 60; ++round) {
      const TensorData x = random_bytes(dtype, random_shape(round % 9, 1, 5, generator), 1);
      Numbers starts, sizes, steps;
      Shape shape;
      for (std::int64_t extent : x.shape) {
        starts.push_back(pick(0, extent - 1));
        steps.push_back(pick(0, 1) == 0 ? pick(1, 3) : -pick(1, 3));
        const std::int64_t room = steps.back() > 0 ? extent - 1 - starts.back() : starts.back();
        sizes.push_back(pick(round % 5 == 4 ? 0 : 1, room / std::abs(steps.back()) + 1));
        shape.push_back(sizes.back());
      }
      const auto y = run_op(fb::OpKind::slice, slice(starts, sizes, steps), {x});
      expect_same(y[0], moved(x, shape, [&](Index index) {
                    for (std::size_t i = 0; i < index.size(); ++i)
                      index[i] = starts[i] + index[i] * steps[i];
                    return index;
                  }));
    }
  }
}

TEST(Slice, StepsBeyondTheAxisAreNeverTaken) {
  const TensorData x = tensor<float>({3}, {1, 2, 3});
  const auto y = run_op(fb::OpKind::slice, slice({2}, {1}, {INT64_MAX}), {x});
  EXPECT_EQ(y[0].numbers(), std::vector<double>{3});
}

TEST(Slice, Hostile) {
  const TensorData x = random_bytes(DType::float32, {4}, 1);
  const auto refused = [&](const Numbers& starts, const Numbers& sizes, const Numbers& steps) {
    expect_refused(fb::OpKind::slice, slice(starts, sizes, steps), {x});
  };
  refused({}, {}, {});
  refused({0, 0}, {1, 1}, {1, 1});
  refused({0}, {1}, {0});
  refused({0}, {5}, {1});
  refused({0}, {-1}, {1});
  refused({-1}, {1}, {1});
  refused({4}, {1}, {1});
  refused({0}, {2}, {-1});
  refused({3}, {2}, {INT64_MAX});
  refused({3}, {INT64_MAX}, {INT64_MIN});
  refused({INT64_MAX}, {INT64_MAX}, {1});
  refused({INT64_MIN}, {2}, {INT64_MAX});
}

}  // namespace
}  // namespace skiff::test
