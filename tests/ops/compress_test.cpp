#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

fb::AxisAttrsT on_axis(std::int64_t axis) {
  fb::AxisAttrsT attrs;
  attrs.axis = axis;
  return attrs;
}

void check_compress(const TensorData& x, int axis, std::vector<bool> kept) {
  TensorData flattened = x;
  if (axis < 0) flattened.shape = {x.shape.elements()};
  const int along = std::max(axis, 0);
  Index places;
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i] && static_cast<std::int64_t>(i) < flattened.shape[along])
      places.push_back(static_cast<std::int64_t>(i));
  Shape shape = flattened.shape;
  shape[along] = static_cast<std::int64_t>(places.size());
  const TensorData condition = tensor<bool>({static_cast<std::int64_t>(kept.size())}, kept);
  const auto y = run_op(fb::OpKind::compress, on_axis(axis), {x, condition});
  expect_same(y[0], moved(flattened, shape, [&](const Index& i) -> std::optional<Index> {
                Index from = i;
                auto& place = from[static_cast<std::size_t>(along)];
                place = places[static_cast<std::size_t>(place)];
                return from;
              }));
}

TEST(Compress, EveryAxisAndCondition) {
  for (DType dtype : kSizes) {
    const TensorData x = random_bytes(dtype, {3, 4, 5}, 1);
    for (int axis : {-1, 0, 1, 2}) {
      check_compress(x, axis, {false, true, true});
      check_compress(x, axis, {true});
      check_compress(x, axis, {false, false});
      check_compress(x, axis, {});
      check_compress(x, axis, std::vector<bool>(70, true));
    }
    check_compress(random_bytes(dtype, {2, 0}, 1), 0, {true, false});
  }
}

TEST(Compress, AnyByteButZeroIsTrue) {
  TensorData condition = tensor<bool>({3}, {true, false, true});
  condition.bytes[0] = std::byte{2};
  condition.bytes[2] = std::byte{255};
  const auto y =
      run_op(fb::OpKind::compress, on_axis(0), {tensor<float>({3}, {5, 6, 7}), condition});
  EXPECT_EQ(y[0].values<float>(), (std::vector<float>{5, 7}));
}

TEST(Compress, Hostile) {
  const TensorData x = random_bytes(DType::float32, {3, 4}, 1);
  const TensorData condition = tensor<bool>({2}, {true, false});
  expect_refused(fb::OpKind::compress, on_axis(2), {x, condition});
  expect_refused(fb::OpKind::compress, on_axis(-2), {x, condition});
  expect_refused(fb::OpKind::compress, on_axis(0), {x, random_bytes(DType::uint8, {2}, 1)});
  expect_refused(fb::OpKind::compress, on_axis(0), {x, tensor<bool>({1, 2}, {true, true})});
}

}  // namespace
}  // namespace skiff::test
