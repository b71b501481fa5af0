#include <gtest/gtest.h>

#include "tests/support/reference_elementwise.h"

namespace skiff::test {
namespace {

void check_where(DType dtype, const Shape& sc, const Shape& sa, const Shape& sb,
                 const Shape& shape) {
  const TensorData c = random_bytes(DType::boolean, sc, 1);
  const TensorData a = random_bytes(dtype, sa, 2), b = random_bytes(dtype, sb, 3);
  TensorData expected{dtype, shape, {}, false, nullptr};
  for_each_index(shape, [&](const Index& index) {
    const bool yes = element(c, broadcast_position(sc, index))[0] != std::byte{0};
    const auto bytes =
        yes ? element(a, broadcast_position(sa, index)) : element(b, broadcast_position(sb, index));
    expected.bytes.insert(expected.bytes.end(), bytes.begin(), bytes.end());
  });
  expect_same(run_op(fb::OpKind::where, {}, {c, a, b})[0], expected);
}

TEST(Where, EveryBroadcastAndSize) {
  for (DType dtype : kSizes) {
    check_where(dtype, {}, {}, {}, {});
    check_where(dtype, {3, 45}, {3, 45}, {3, 45}, {3, 45});
    check_where(dtype, {1}, {3, 45}, {45}, {3, 45});
    check_where(dtype, {3, 1}, {45}, {1, 1}, {3, 45});
    check_where(dtype, {2, 1, 1, 5}, {3, 1, 1}, {4, 5}, {2, 3, 4, 5});
    check_where(dtype, {0, 1}, {1, 4}, {}, {0, 4});
    check_where(dtype, {20'000}, {20'000}, {}, {20'000});
  }
}

TEST(Where, OddOperandsAreRefused) {
  const TensorData c = tensor<bool>({2}, {true, false}), x = tensor<float>({2}, {1, 2});
  expect_refused(fb::OpKind::where, {}, {x, x, x});
  expect_refused(fb::OpKind::where, {}, {c, x, tensor<int>({2}, {1, 2})});
  expect_refused(fb::OpKind::where, {}, {c, x, tensor<float>({3}, {1, 2, 3})});
  expect_refused(fb::OpKind::where, {}, {c, x});
}

}  // namespace
}  // namespace skiff::test
