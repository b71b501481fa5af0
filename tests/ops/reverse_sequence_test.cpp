#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

fb::ReverseSequenceAttrsT axes(std::int64_t batch, std::int64_t time) {
  fb::ReverseSequenceAttrsT attrs;
  attrs.batch_axis = batch;
  attrs.time_axis = time;
  return attrs;
}

void check_reverse(const TensorData& x, int batch, int time, const Numbers& lengths,
                   DType index_type = DType::int64) {
  const std::vector<double> numbers(lengths.begin(), lengths.end());
  const auto y = run_op(fb::OpKind::reverse_sequence, axes(batch, time),
                        {x, tensor_of(index_type, Shape{x.shape[batch]}, numbers)});
  expect_same(y[0], moved(x, x.shape, [&](Index index) {
                const auto length =
                    lengths[static_cast<std::size_t>(index[static_cast<std::size_t>(batch)])];
                auto& t = index[static_cast<std::size_t>(time)];
                if (t < length) t = length - 1 - t;
                return index;
              }));
}

Numbers random_lengths(const Shape& x, int batch, int time, std::mt19937& generator) {
  Numbers lengths;
  for (std::int64_t i = 0; i < x[batch]; ++i)
    lengths.push_back(static_cast<std::int64_t>(generator()) % (x[time] + 1));
  return lengths;
}

TEST(ReverseSequence, EveryPairOfAxesAndSize) {
  std::mt19937 generator(1);
  for (DType dtype : kSizes) {
    const TensorData x = random_bytes(dtype, {3, 4, 5, 2}, 1);
    for (int batch = 0; batch < 4; ++batch)
      for (int time = 0; time < 4; ++time)
        if (batch != time)
          check_reverse(x, batch, time, random_lengths(x.shape, batch, time, generator));
  }
}

TEST(ReverseSequence, EdgeShapes) {
  std::mt19937 generator(1);
  const auto check = [&](const Shape& shape, int batch, int time) {
    check_reverse(random_bytes(DType::float32, shape, 1), batch, time,
                  random_lengths(shape, batch, time, generator), DType::int32);
  };
  check({1, 9}, 0, 1);
  check({9, 1}, 0, 1);
  check({30, 40, 50}, 1, 0);
  check({4, 300, 50}, 0, 1);
  check({2, 1, 3, 1, 6}, 2, 4);
  check({2, 1, 3, 1, 6}, 4, 0);
  check({0, 4}, 0, 1);
  check({3, 4, 0}, 0, 1);
  check_reverse(random_bytes(DType::float32, {3, 7}, 1), 0, 1, {0, 1, 7});
}

TEST(ReverseSequence, Hostile) {
  const auto op = fb::OpKind::reverse_sequence;
  const TensorData x = random_bytes(DType::float32, {3, 2}, 1);
  for (std::int64_t bad : {std::int64_t{4}, std::int64_t{-1}, INT64_MAX, INT64_MIN})
    expect_bad_value(op, axes(1, 0), {x, tensor<std::int64_t>({2}, {1, bad})});
  expect_bad_value(op, axes(1, 0),
                   {random_bytes(DType::float32, {0, 2}, 1), tensor<std::int64_t>({2}, {0, 1})});
  const TensorData good = tensor<std::int64_t>({2}, {1, 2});
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX, INT64_MIN}) {
    expect_refused(op, axes(axis, 0), {x, good});
    expect_refused(op, axes(1, axis), {x, good});
  }
  expect_refused(op, axes(1, 1), {x, good});
  expect_refused(op, axes(0, 1), {x, good});
  expect_refused(op, axes(1, 0), {x, tensor<float>({2}, {1, 2})});
}

}  // namespace
}  // namespace skiff::test
