#include "runtime/ops/binary_rows.h"

#include <algorithm>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/binary_math.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/half_block.h"

namespace skiff {
namespace {

using fb::BinaryFunction;
using Run = BinaryRows::Run;

/// The three forms of a row; in place is safe, element i is read before it is written.
template <typename T, typename R, typename F>
void each(const void* a, std::int64_t step_a, const void* b, std::int64_t step_b, void* y,
          std::int64_t count, F f) {
  const T *p = static_cast<const T*>(a), *q = static_cast<const T*>(b);
  R* to = static_cast<R*>(y);
  if (count == 0) return;
  const T first_a = *p, first_b = *q;
  if (step_a != 0 && step_b != 0) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) to[i] = f(p[i], q[i]);
  } else if (step_a != 0) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) to[i] = f(p[i], first_b);
  } else {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) to[i] = f(first_a, q[i * step_b]);
  }
}

template <BinaryFunction F, typename T>
void run_same(const BinaryRows&, const void* a, std::int64_t step_a, const void* b,
              std::int64_t step_b, void* y, std::int64_t count) {
  if constexpr (compares(F)) {
    each<T, bool>(a, step_a, b, step_b, y, count, [](T u, T v) { return compare<F, T>(u, v); });
  } else if constexpr (std::is_integral_v<T>) {
    each<T, T>(a, step_a, b, step_b, y, count, [](T u, T v) { return binary_integer<F, T>(u, v); });
  } else {
    each<T, T>(a, step_a, b, step_b, y, count, [](T u, T v) { return binary_float<F, T>(u, v); });
  }
}

void run_row(const BinaryRows& self, const void* a, std::int64_t step_a, const void* b,
             std::int64_t step_b, void* y, std::int64_t count) {
  self.row(static_cast<const float*>(a), step_a, static_cast<const float*>(b), step_b,
           static_cast<float*>(y), count);
}

/// Functions of floats that the instruction set's table has; count: none.
constexpr cpu::RowBinary in_table(BinaryFunction function) {
  switch (function) {
    case BinaryFunction::add:
      return cpu::RowBinary::add;
    case BinaryFunction::sub:
      return cpu::RowBinary::sub;
    case BinaryFunction::mul:
      return cpu::RowBinary::mul;
    case BinaryFunction::div:
      return cpu::RowBinary::div;
    case BinaryFunction::minimum:
      return cpu::RowBinary::minimum;
    case BinaryFunction::maximum:
      return cpu::RowBinary::maximum;
    case BinaryFunction::squared_difference:
      return cpu::RowBinary::squared_difference;
    case BinaryFunction::prelu:
      return cpu::RowBinary::prelu;
    default:
      return cpu::RowBinary::count;
  }
}

/// pow with the exponents that networks use; equal to std::pow for them.
template <typename T>
void run_power(const BinaryRows& self, const void* a, std::int64_t step_a, const void* b,
               std::int64_t step_b, void* y, std::int64_t count) {
  const T exponent = count > 0 && step_b == 0 ? *static_cast<const T*>(b) : T{0};
  if (exponent == T{2}) {
    each<T, T>(a, step_a, b, 0, y, count, [](T u, T) { return u * u; });
  } else if (exponent == T(0.5)) {
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    each<T, T>(a, step_a, b, 0, y, count,
               [](T u, T) { return u == -kInfinity ? kInfinity : std::sqrt(u) + T{0}; });
  } else {
    run_same<BinaryFunction::pow, T>(self, a, step_a, b, step_b, y, count);
  }
}

/// Blocks of `T`s on the stack around the function of T.
template <typename T, typename LoadA, typename LoadB, typename Store>
void in_blocks(const BinaryRows& self, Run inner, std::int64_t step_a, std::int64_t step_b,
               std::int64_t count, LoadA load_a, LoadB load_b, Store store) {
  T a[kHalfBlock], b[kHalfBlock];
  for (std::int64_t i = 0; i < count; i += kHalfBlock) {
    const std::int64_t n = std::min(kHalfBlock, count - i);
    load_a(i * step_a, a, step_a == 0 ? 1 : n);
    load_b(i * step_b, b, step_b == 0 ? 1 : n);
    inner(self, a, step_a, b, step_b, a, n);
    store(a, i, n);
  }
}

/// Functions of 16-bit floats that give 16-bit floats.
template <typename H>
void run_half(const BinaryRows& self, const void* a, std::int64_t step_a, const void* b,
              std::int64_t step_b, void* y, std::int64_t count) {
  const auto loader = [](const void* from) {
    return [from](std::int64_t at, float* to, std::int64_t n) {
      widen(static_cast<const H*>(from) + at, to, n);
    };
  };
  in_blocks<float>(self, self.inner, step_a, step_b, count, loader(a), loader(b),
                   [y](const float* from, std::int64_t at, std::int64_t n) {
                     narrow(from, static_cast<H*>(y) + at, n);
                   });
}

template <BinaryFunction F, typename H>
void compare_half(const BinaryRows&, const void* a, std::int64_t step_a, const void* b,
                  std::int64_t step_b, void* y, std::int64_t count) {
  each<H, bool>(a, step_a, b, step_b, y, count,
                [](H u, H v) { return compare<F, float>(load(u), load(v)); });
}

/// pow whose exponent has another type than its base.
void run_mixed_power(const BinaryRows& self, const void* a, std::int64_t step_a, const void* b,
                     std::int64_t step_b, void* y, std::int64_t count) {
  const auto loader = [&self](int n, const void* from) {
    return [&self, n, from](std::int64_t at, double* to, std::int64_t many) {
      self.widen[n](static_cast<const std::byte*>(from) + at * self.size[n], to, many);
    };
  };
  in_blocks<double>(self, self.inner, step_a, step_b, count, loader(0, a), loader(1, b),
                    [&](const double* from, std::int64_t at, std::int64_t n) {
                      self.narrow(from, static_cast<std::byte*>(y) + at * self.size[0], n);
                    });
}

/// Functions of numbers that exist for T.
template <BinaryFunction F, typename T>
constexpr bool exists() {
  constexpr bool kBitwise = F >= BinaryFunction::bitwise_and;
  if constexpr (std::is_same_v<T, bool>) return false;
  if constexpr (std::is_integral_v<T>) return F != BinaryFunction::atan2;
  return !kBitwise;
}

template <BinaryFunction F, typename T>
Run of_number() {
  constexpr bool kHalf = !std::is_same_v<T, Compute<T>>;
  if constexpr (!exists<F, T>())
    return nullptr;
  else if constexpr (kHalf && compares(F))
    return compare_half<F, T>;
  else if constexpr (kHalf)
    return run_half<T>;
  else if constexpr (std::is_same_v<T, float> && in_table(F) != cpu::RowBinary::count)
    return run_row;
  else if constexpr (F == BinaryFunction::pow && std::is_floating_point_v<T>)
    return run_power<T>;
  else
    return run_same<F, T>;
}

template <BinaryFunction F>
Run of_type(const NodeView& node, DType dtype) {
  return dispatch(node, dtype, NumericTypes{},
                  [](auto type) -> Run { return of_number<F, typename decltype(type)::type>(); });
}

/// Bitwise functions see only the size of their operands, shifts to the left too.
template <BinaryFunction F>
Run of_size(const NodeView& node, DType dtype) {
  return dispatch(node, dtype_of_size(dtype), SizeTypes{},
                  [](auto type) -> Run { return of_number<F, typename decltype(type)::type>(); });
}

/// Bools are bytes that are 0 or not.
template <BinaryFunction F>
void run_logical(const BinaryRows&, const void* a, std::int64_t step_a, const void* b,
                 std::int64_t step_b, void* y, std::int64_t count) {
  each<std::uint8_t, bool>(a, step_a, b, step_b, y, count, [](std::uint8_t u, std::uint8_t v) {
    return compare<F, bool>(u != 0, v != 0);
  });
}

Run find_run(const NodeView& node, BinaryFunction function, DType dtype) {
  switch (function) {
#define SKIFF_CASE(name, choose) \
  case BinaryFunction::name:     \
    return choose<BinaryFunction::name>(node, dtype);
    SKIFF_CASE(add, of_type)
    SKIFF_CASE(sub, of_type)
    SKIFF_CASE(mul, of_type)
    SKIFF_CASE(div, of_type)
    SKIFF_CASE(pow, of_type)
    SKIFF_CASE(minimum, of_type)
    SKIFF_CASE(maximum, of_type)
    SKIFF_CASE(mod, of_type)
    SKIFF_CASE(fmod, of_type)
    SKIFF_CASE(floor_div, of_type)
    SKIFF_CASE(squared_difference, of_type)
    SKIFF_CASE(prelu, of_type)
    SKIFF_CASE(atan2, of_type)
    SKIFF_CASE(less, of_type)
    SKIFF_CASE(less_equal, of_type)
    SKIFF_CASE(greater, of_type)
    SKIFF_CASE(greater_equal, of_type)
    SKIFF_CASE(bitwise_and, of_size)
    SKIFF_CASE(bitwise_or, of_size)
    SKIFF_CASE(bitwise_xor, of_size)
    SKIFF_CASE(shift_left, of_size)
    SKIFF_CASE(shift_right, of_type)
#undef SKIFF_CASE
    case BinaryFunction::equal:
      return dtype == DType::boolean ? run_logical<BinaryFunction::equal>
                                     : of_type<BinaryFunction::equal>(node, dtype);
    case BinaryFunction::not_equal:
      return dtype == DType::boolean ? run_logical<BinaryFunction::not_equal>
                                     : of_type<BinaryFunction::not_equal>(node, dtype);
    case BinaryFunction::logical_and:
      return run_logical<BinaryFunction::logical_and>;
    case BinaryFunction::logical_or:
      return run_logical<BinaryFunction::logical_or>;
    case BinaryFunction::logical_xor:
      return run_logical<BinaryFunction::logical_xor>;
  }
  return nullptr;
}

std::int64_t cost_of(BinaryFunction function, DType dtype) {
  switch (function) {
    case BinaryFunction::pow:
    case BinaryFunction::mod:
    case BinaryFunction::fmod:
    case BinaryFunction::floor_div:
    case BinaryFunction::atan2:
      return 16;
    case BinaryFunction::div:
      return holds(IntegerTypes{}, dtype) ? 8 : 2;
    default:
      return size_of(dtype) == 2 ? 4 : 1;
  }
}

}  // namespace

BinaryRows choose_rows(const NodeView& node, BinaryFunction function, DType a, DType b,
                       const cpu::KernelTable& table) {
  BinaryRows rows;
  rows.size[0] = static_cast<std::int64_t>(size_of(a));
  rows.size[1] = static_cast<std::int64_t>(size_of(b));
  rows.cost = cost_of(function, a);
  if (const cpu::RowBinary row = in_table(function); row != cpu::RowBinary::count)
    rows.row = table.rows.binary[static_cast<int>(row)];
  if (a != b) {
    rows.run = run_mixed_power;
    rows.inner = run_power<double>;
    rows.widen[0] = find_convert(node, a, DType::float64);
    rows.widen[1] = find_convert(node, b, DType::float64);
    rows.narrow = find_convert(node, DType::float64, a);
    return rows;
  }
  rows.run = find_run(node, function, a);
  if (rows.run == nullptr) fail_dtype(node, a);
  if (a == DType::float16 || a == DType::bfloat16)
    rows.inner = find_run(node, function, DType::float32);
  return rows;
}

}  // namespace skiff
