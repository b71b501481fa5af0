#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

/// Walks from the border one step at a time, turning around where the mode does.
std::optional<std::int64_t> walk(fb::PadMode mode, std::int64_t i, std::int64_t n) {
  if (i >= 0 && i < n) return i;
  if (mode == fb::PadMode::constant) return std::nullopt;
  if (mode == fb::PadMode::edge) return i < 0 ? 0 : n - 1;
  if (n == 1) return 0;
  while (i < 0 || i >= n) {
    if (mode == fb::PadMode::wrap) i += i < 0 ? n : -n;
    if (mode == fb::PadMode::reflect) i = i < 0 ? -i : 2 * (n - 1) - i;
    if (mode == fb::PadMode::symmetric) i = i < 0 ? -1 - i : 2 * n - 1 - i;
  }
  return i;
}

fb::PadAttrsT padding(const Numbers& pads, fb::PadMode mode, double value = 0) {
  fb::PadAttrsT attrs;
  attrs.pads = pads;
  attrs.mode = mode;
  attrs.value = value;
  return attrs;
}

void check_pad(const TensorData& x, const Numbers& pads, fb::PadMode mode) {
  Shape shape = x.shape;
  const auto rank = static_cast<std::size_t>(x.shape.rank());
  for (std::size_t i = 0; i < rank; ++i) shape[static_cast<int>(i)] += pads[i] + pads[i + rank];
  const auto y = run_op(fb::OpKind::pad, padding(pads, mode), {x});
  expect_same(y[0], moved(x, shape, [&](Index index) -> std::optional<Index> {
                for (std::size_t i = 0; i < rank; ++i) {
                  const auto from = walk(mode, index[i] - pads[i], x.shape[static_cast<int>(i)]);
                  if (!from) return std::nullopt;
                  index[i] = *from;
                }
                return index;
              }));
}

TEST(Pad, EveryModeRankAndSize) {
  std::mt19937 generator(1);
  for (fb::PadMode mode : fb::EnumValuesPadMode()) {
    for (DType dtype : kSizes) {
      for (int rank = 0; rank <= kMaxRank; ++rank) {
        Numbers pads;
        for (int i = 0; i < 2 * rank; ++i)
          pads.push_back(static_cast<std::int64_t>(generator() % (rank > 4 ? 2 : 8)));
        check_pad(random_bytes(dtype, random_shape(rank, 1, rank > 5 ? 2 : 4, generator), 1), pads,
                  mode);
      }
      check_pad(random_bytes(dtype, {2, 6, 7, 3}, 1), {0, 1, 2, 0, 0, 0, 3, 0}, mode);
      check_pad(random_bytes(dtype, {2, 6, 7}, 1), {1, 0, 0, 1, 0, 0}, mode);
    }
  }
  check_pad(random_bytes(DType::float32, {2, 0, 2}, 1), {1, 2, 0, 0, 0, 1}, fb::PadMode::constant);
}

TEST(Pad, Values) {
  const TensorData x = tensor<float>({1}, {5});
  const auto constant = fb::PadMode::constant;
  auto y = run_op(fb::OpKind::pad, padding({1, 2}, constant, -1.5), {x});
  EXPECT_EQ(y[0].numbers(), (std::vector<double>{-1.5, 5, -1.5, -1.5}));
  y = run_op(fb::OpKind::pad, padding({1, 0}, constant, -1.5), {x, tensor<float>({}, {7})});
  EXPECT_EQ(y[0].numbers(), (std::vector<double>{7, 5}));
  y = run_op(fb::OpKind::pad, padding({1, 0}, constant, 1e9), {tensor<std::int8_t>({1}, {1})});
  EXPECT_EQ(y[0].numbers(), (std::vector<double>{127, 1}));
}

TEST(Pad, Hostile) {
  const TensorData x = random_bytes(DType::float32, {2, 3}, 1);
  const auto refused = [&](const Numbers& pads, fb::PadMode mode = fb::PadMode::constant) {
    expect_refused(fb::OpKind::pad, padding(pads, mode), {x});
  };
  refused({});
  refused({1, 1, 1});
  refused({-1, 0, 0, 0});
  refused({0, 0, INT64_MIN, 0});
  refused({INT64_MAX, 0, INT64_MAX, 0});
  refused({INT64_MAX, 0, 0, 0});
  refused({INT64_MAX - 2, 0, 0, 0}, fb::PadMode::wrap);
  refused({0, 0, 0, 0}, static_cast<fb::PadMode>(77));
  expect_refused(fb::OpKind::pad, padding({1, 0}, fb::PadMode::reflect),
                 {random_bytes(DType::float32, {0}, 1)});
  expect_refused(fb::OpKind::pad, padding({1, 0, 0, 0}, fb::PadMode::constant),
                 {x, tensor<float>({2}, {1, 2})});
  expect_refused(fb::OpKind::pad, padding({1, 0, 0, 0}, fb::PadMode::constant),
                 {x, tensor<std::int32_t>({}, {1})});
}

}  // namespace
}  // namespace skiff::test
