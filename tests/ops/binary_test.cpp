#include <gtest/gtest.h>

#include "tests/support/reference_elementwise.h"

namespace skiff::test {
namespace {

using fb::BinaryFunction;
using fb::UnaryFunction;

fb::BinaryAttrsT attributes(BinaryFunction function) {
  fb::BinaryAttrsT attrs;
  attrs.function = function;
  return attrs;
}

Shape broadcast_shape(const Shape& a, const Shape& b) {
  Shape result;
  for (int i = std::max(a.rank(), b.rank()); i > 0; --i) {
    const std::int64_t ea = i > a.rank() ? 1 : a[a.rank() - i];
    const std::int64_t eb = i > b.rank() ? 1 : b[b.rank() - i];
    result.push_back(ea == 1 ? eb : ea);
  }
  return result;
}

void check_floats(BinaryFunction function, DType dtype, const Shape& sa, const Shape& sb,
                  const OpOptions& options = {}) {
  SCOPED_TRACE(message(fb::EnumNameBinaryFunction(function), " of ", dtype, " ", sa, " ", sb));
  const bool positive = function == BinaryFunction::pow || function == BinaryFunction::floor_div;
  const TensorData a = tensor_of(dtype, sa, random_numbers(sa.elements(), positive ? 0.5 : -4, 4));
  const TensorData b =
      tensor_of(dtype, sb, random_numbers(sb.elements(), positive ? 0.5 : -4, 4, 7));
  const Shape shape = broadcast_shape(sa, sb);
  const auto y = run_op(fb::OpKind::binary, attributes(function), {a, b}, options);
  EXPECT_TRUE(y[0].shape == shape);
  const auto expected = reference_broadcast(
      a, b, shape, [&](double u, double v) { return reference_binary(function, u, v); });
  // Remainders inherit the rounding of a quotient of up to 2^10.
  expect_near(y[0], expected, rounding(dtype, 4), rounding(dtype, 16));
}

constexpr BinaryFunction kOfFloats[] = {
    BinaryFunction::add,        BinaryFunction::sub,          BinaryFunction::mul,
    BinaryFunction::div,        BinaryFunction::pow,          BinaryFunction::minimum,
    BinaryFunction::maximum,    BinaryFunction::fmod,         BinaryFunction::squared_difference,
    BinaryFunction::prelu,      BinaryFunction::atan2,        BinaryFunction::equal,
    BinaryFunction::less,       BinaryFunction::greater,      BinaryFunction::not_equal,
    BinaryFunction::less_equal, BinaryFunction::greater_equal};

TEST(Binary, EveryFunctionOfFloats) {
  for (BinaryFunction function : kOfFloats) {
    for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16}) {
      check_floats(function, dtype, {2, 37}, {2, 37});
      check_floats(function, dtype, {2, 37}, {});
      check_floats(function, dtype, {1}, {3, 19});
      check_floats(function, dtype, {4, 1, 5}, {3, 1});
    }
  }
}

TEST(Binary, EveryBroadcast) {
  for_each_table([](const cpu::KernelTable& table) {
    const OpOptions options{1, &table, "node"};
    check_floats(BinaryFunction::add, DType::float32, {}, {}, options);
    check_floats(BinaryFunction::sub, DType::float32, {2, 3, 4, 5}, {5}, options);
    check_floats(BinaryFunction::sub, DType::float32, {50, 7, 3}, {3}, options);
    check_floats(BinaryFunction::sub, DType::float32, {3}, {50, 7, 3}, options);
    check_floats(BinaryFunction::mul, DType::float32, {1, 9, 9, 64}, {1, 1, 1, 64}, options);
    check_floats(BinaryFunction::mul, DType::float32, {2, 9, 9, 64}, {2, 1, 1, 64}, options);
    check_floats(BinaryFunction::div, DType::float32, {8, 20}, {8, 1}, options);
    check_floats(BinaryFunction::sub, DType::float32, {8, 1}, {1, 20}, options);
    check_floats(BinaryFunction::sub, DType::float32, {1, 2, 1, 2, 1, 2, 1, 2},
                 {2, 1, 2, 1, 2, 1, 2, 1}, options);
    check_floats(BinaryFunction::add, DType::float32, {3, 70'001}, {70'001}, options);
    check_floats(BinaryFunction::add, DType::float32, {0, 4}, {1, 4}, options);
    check_floats(BinaryFunction::add, DType::float32, {4, 0}, {4, 1}, options);
  });
}

TEST(Binary, RandomShapes) {
  std::mt19937 generator(3);
  for (int round = 0; round < 200; ++round) {
    const int rank = round % (kMaxRank + 1);
    const Shape full = random_shape(rank, 1, rank > 5 ? 3 : 6, generator);
    Shape a, b;
    const int missing = rank > 0 ? static_cast<int>(generator() % 3) : 0;
    for (int axis = 0; axis < rank; ++axis) {
      a.push_back(generator() % 3 == 0 ? 1 : full[axis]);
      if (axis >= missing) b.push_back(generator() % 3 == 0 ? 1 : full[axis]);
    }
    check_floats(BinaryFunction::sub, DType::float32, a, b);
    check_floats(BinaryFunction::less, DType::float16, b, a);
  }
}

TEST(Binary, ModOfFloatsIsPythons) {
  const TensorData a = tensor<float>({6}, {-5.5f, 5.5f, 5.5f, -5.5f, 4, -4});
  const TensorData b = tensor<float>({6}, {3, -3, 3, -3, 2, 2});
  const auto y = run_op(fb::OpKind::binary, attributes(BinaryFunction::mod), {a, b});
  EXPECT_EQ(y[0].values<float>(), (std::vector<float>{0.5f, -0.5f, 2.5f, -2.5f, 0, 0}));
}

TEST(Binary, ExtremesHandOnNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TensorData a = tensor<float>({4}, {nan, 1, nan, 3});
  const TensorData b = tensor<float>({4}, {1, nan, nan, 4});
  for_each_table([&](const cpu::KernelTable& table) {
    for (BinaryFunction f : {BinaryFunction::minimum, BinaryFunction::maximum}) {
      const auto y = run_op(fb::OpKind::binary, attributes(f), {a, b}, {1, &table, "node"});
      const double last = f == BinaryFunction::minimum ? 3 : 4, n = static_cast<double>(nan);
      expect_near(y[0], {n, n, n, last}, 0);
    }
  });
}

/// Integers in 128 bits, then wrapped; division as documented in runtime/ops/binary_math.h.
__int128 reference_integer(BinaryFunction f, __int128 a, __int128 b, int width) {
  const __int128 q = b == 0 ? 0 : a / b, r = b == 0 ? 0 : a % b;
  const bool crosses = r != 0 && (r < 0) != (b < 0);
  switch (f) {
    case BinaryFunction::add:
      return a + b;
    case BinaryFunction::sub:
      return a - b;
    case BinaryFunction::mul:  // two large uint64 pass 127 bits; the low 64 are what counts
      return static_cast<__int128>(static_cast<unsigned __int128>(a) *
                                   static_cast<unsigned __int128>(b));
    case BinaryFunction::div:
      return q;
    case BinaryFunction::mod:
      return crosses ? r + b : r;
    case BinaryFunction::fmod:
      return r;
    case BinaryFunction::floor_div:
      return crosses ? q - 1 : q;
    case BinaryFunction::minimum:
      return std::min(a, b);
    case BinaryFunction::maximum:
      return std::max(a, b);
    case BinaryFunction::prelu:
      return a < 0 ? a * b : a;
    case BinaryFunction::bitwise_and:
      return a & b;
    case BinaryFunction::bitwise_or:
      return a | b;
    case BinaryFunction::bitwise_xor:
      return a ^ b;
    case BinaryFunction::shift_left:
      return b < 0 || b >= width ? 0 : a << b;
    case BinaryFunction::shift_right:
      return b < 0 || b >= width ? (a < 0 ? -1 : 0) : a >> b;
    default:
      return 0;
  }
}

template <typename T>
void check_integers() {
  const T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  std::vector<T> values = {low, high, 0, 1, 2, 3, 7, 8, 31, 63, 100};
  for (T v : {static_cast<T>(-1), static_cast<T>(-2), static_cast<T>(-7), static_cast<T>(low + 1),
              static_cast<T>(high - 1), static_cast<T>(high / 2)})
    values.push_back(v);
  const auto n = static_cast<std::int64_t>(values.size());
  const TensorData a = tensor<T>({n, 1}, values), b = tensor<T>({n}, values);
  for (BinaryFunction f :
       {BinaryFunction::add, BinaryFunction::sub, BinaryFunction::mul, BinaryFunction::div,
        BinaryFunction::mod, BinaryFunction::fmod, BinaryFunction::floor_div,
        BinaryFunction::minimum, BinaryFunction::maximum, BinaryFunction::prelu,
        BinaryFunction::bitwise_and, BinaryFunction::bitwise_or, BinaryFunction::bitwise_xor,
        BinaryFunction::shift_left, BinaryFunction::shift_right}) {
    SCOPED_TRACE(message(fb::EnumNameBinaryFunction(f), " of ", dtype_of<T>()));
    const auto y = run_op(fb::OpKind::binary, attributes(f), {a, b})[0].values<T>();
    for (std::size_t i = 0; i < y.size(); ++i) {
      const T u = values[i / values.size()], v = values[i % values.size()];
      EXPECT_EQ(y[i], static_cast<T>(reference_integer(f, u, v, sizeof(T) * 8)))
          << +u << " and " << +v;
    }
  }
}

TEST(Binary, IntegersWrapAndNeverTrap) {
  check_integers<std::int8_t>();
  check_integers<std::uint8_t>();
  check_integers<std::int16_t>();
  check_integers<std::uint16_t>();
  check_integers<std::int32_t>();
  check_integers<std::uint32_t>();
  check_integers<std::int64_t>();
  check_integers<std::uint64_t>();
}

TEST(Binary, Powers) {
  const auto pow = attributes(BinaryFunction::pow);
  EXPECT_EQ(
      run_op(fb::OpKind::binary, pow,
             {tensor<int>({6}, {2, -3, 0, 1, -1, 5}), tensor<int>({6}, {10, 3, 0, -5, -3, -1})})[0]
          .values<int>(),
      (std::vector<int>{1024, -27, 1, 1, -1, 0}));
  EXPECT_EQ(run_op(fb::OpKind::binary, pow,
                   {tensor<int>({3}, {2, 3, 4}), tensor<float>({3}, {3, 2, 0.5f})})[0]
                .values<int>(),
            (std::vector<int>{8, 9, 2}));
  EXPECT_EQ(run_op(fb::OpKind::binary, pow,
                   {tensor<float>({3}, {2, 3, 4}), tensor<std::int64_t>({}, {3})})[0]
                .values<float>(),
            (std::vector<float>{8, 27, 64}));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(run_op(fb::OpKind::binary, pow,
                   {tensor<float>({4}, {-infinity, -0.0f, 4, 9}), tensor<float>({}, {0.5f})})[0]
                .values<float>(),
            (std::vector<float>{infinity, 0, 2, 3}));
}

TEST(Binary, Bools) {
  const TensorData a = tensor<bool>({4}, {false, false, true, true});
  const TensorData b = tensor<bool>({4}, {false, true, false, true});
  for (BinaryFunction f :
       {BinaryFunction::logical_and, BinaryFunction::logical_or, BinaryFunction::logical_xor,
        BinaryFunction::equal, BinaryFunction::not_equal}) {
    const auto y = run_op(fb::OpKind::binary, attributes(f), {a, b});
    EXPECT_EQ(y[0].numbers(), reference_broadcast(a, b, {4}, [&](double u, double v) {
                return reference_binary(f, u, v);
              }));
  }
}

TEST(Binary, FusedActivation) {
  fb::BinaryAttrsT attrs = attributes(BinaryFunction::add);
  attrs.activation = UnaryFunction::clip;
  attrs.alpha = 0;
  attrs.beta = 6;
  for (DType dtype : {DType::float32, DType::float16, DType::float64}) {
    const TensorData a = tensor_of(dtype, {300, 3}, random_numbers(900, -8, 8));
    const TensorData b = tensor_of(dtype, {3}, {1, 2, 3});
    const auto y = run_op(fb::OpKind::binary, attrs, {a, b});
    expect_near(y[0],
                reference_broadcast(a, b, {300, 3},
                                    [](double u, double v) {
                                      return reference_unary(UnaryFunction::clip, u + v, 0, 6);
                                    }),
                rounding(dtype, 2));
  }
}

TEST(Binary, OddAttributesAreRefused) {
  const TensorData x = tensor<float>({2}, {1, 2}), i = tensor<int>({2}, {1, 2});
  const auto op = fb::OpKind::binary;
  expect_refused(op, attributes(static_cast<BinaryFunction>(27)), {x, x});
  expect_refused(op, attributes(static_cast<BinaryFunction>(255)), {x, x});
  expect_refused(op, attributes(BinaryFunction::add), {x, i});
  expect_refused(op, attributes(BinaryFunction::add), {x});
  expect_refused(op, attributes(BinaryFunction::add), {x, tensor<float>({3}, {1, 2, 3})});
  expect_refused(op, attributes(BinaryFunction::bitwise_and), {x, x});
  expect_refused(op, attributes(BinaryFunction::logical_and), {i, i});
  expect_refused(op, attributes(BinaryFunction::atan2), {i, i});
  fb::BinaryAttrsT attrs = attributes(BinaryFunction::less);
  attrs.activation = UnaryFunction::relu;
  expect_refused(op, attrs, {x, x});
  attrs.function = BinaryFunction::add;
  expect_refused(op, attrs, {i, i});
  attrs.activation = UnaryFunction::exp;
  expect_refused(op, attrs, {x, x});
  attrs.activation = UnaryFunction::clip;
  attrs.beta = std::numeric_limits<float>::quiet_NaN();
  expect_refused(op, attrs, {x, x});
}

}  // namespace
}  // namespace skiff::test
