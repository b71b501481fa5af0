#pragma once

#include "runtime/cpu/isa/rows.h"

namespace skiff::cpu {
namespace {

/// Floats that are added to one another before a double takes over.
constexpr std::int64_t kFoldBlock = 1024;

template <RowFold F>
struct Folding {
  static constexpr bool kSums =
      F == RowFold::sum || F == RowFold::sum_abs || F == RowFold::sum_square;
  static float start() {
    if (F == RowFold::product) return 1;
    if (F == RowFold::maximum) return -__builtin_inff();
    return F == RowFold::minimum ? __builtin_inff() : 0;
  }
  static SKIFF_INLINE Vec take(Vec x) {
    if constexpr (F == RowFold::sum_abs) return ei::pabs(x);
    if constexpr (F == RowFold::sum_square) return mul(x, x);
    return x;
  }
  static SKIFF_INLINE Vec join(Vec a, Vec b) {
    if constexpr (kSums) return add(a, b);
    if constexpr (F == RowFold::maximum) return largest_nan(a, b);
    if constexpr (F == RowFold::minimum) return lowest_nan(a, b);
    if constexpr (F == RowFold::product) return mul(a, b);
  }
  static double join(double a, double b) {
    if (kSums) return a + b;
    if (F == RowFold::product) return a * b;
    if (a != a) return a;
    if (F == RowFold::maximum) return a > b ? a : b;
    return a < b ? a : b;
  }
};

/// The first lanes of v, the others as `rest` says.
SKIFF_INLINE Vec load_first_or(const float* from, std::int64_t count, float rest) {
  float lanes[kLanes];
  for (std::int64_t i = 0; i < kLanes; ++i) lanes[i] = i < count ? from[i] : rest;
  return load(lanes);
}

template <typename Rule>
SKIFF_INLINE double join_lanes(Vec v, double total) {
  float lanes[kLanes];
  store(lanes, v);
  for (int i = 0; i < kLanes; ++i) total = Rule::join(total, static_cast<double>(lanes[i]));
  return total;
}

/// One block, four vectors at a time so that additions overlap.
template <typename Rule, typename Take>
SKIFF_INLINE double fold_block(const float* x, std::int64_t count, double total, Take take) {
  const Vec start = splat(Rule::start());
  Vec acc[4] = {start, start, start, start};
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes)
    for (int v = 0; v < 4; ++v) acc[v] = Rule::join(acc[v], take(load(x + i + v * kLanes)));
  for (; i + kLanes <= count; i += kLanes) acc[0] = Rule::join(acc[0], take(load(x + i)));
  if (i < count) {
    // Lanes beyond the row are the start value after take() as well.
    float lanes[kLanes];
    store(lanes, take(load_first_or(x + i, count - i, 0)));
    acc[1] = Rule::join(acc[1], load_first_or(lanes, count - i, Rule::start()));
  }
  return join_lanes<Rule>(Rule::join(Rule::join(acc[0], acc[1]), Rule::join(acc[2], acc[3])),
                          total);
}

template <RowFold F>
double fold_row(const float* x, std::int64_t count) {
  using Rule = Folding<F>;
  double total = Rule::start();
  for (std::int64_t i = 0; i < count; i += kFoldBlock)
    total = fold_block<Rule>(
        x + i, count - i < kFoldBlock ? count - i : kFoldBlock, total,
        [](Vec v) __attribute__((always_inline)) { return Rule::take(v); });
  return total;
}

double sum_square_about(const float* x, std::int64_t count, float mean) {
  const Vec m = splat(mean);
  double total = 0;
  for (std::int64_t i = 0; i < count; i += kFoldBlock)
    total = fold_block<Folding<RowFold::sum>>(
        x + i, count - i < kFoldBlock ? count - i : kFoldBlock,
        total, [m](Vec v) __attribute__((always_inline)) {
          const Vec d = sub(v, m);
          return mul(d, d);
        });
  return total;
}

/// `kVectors` vectors of columns, all rows: the accumulators stay in registers.
template <RowFold F, int kVectors>
SKIFF_INLINE void fold_strip(const float* x, std::int64_t stride, std::int64_t rows, float* acc) {
  using Rule = Folding<F>;
  Vec total[kVectors];
  for (int v = 0; v < kVectors; ++v) total[v] = load(acc + v * kLanes);
  for (std::int64_t r = 0; r < rows; ++r, x += stride)
    for (int v = 0; v < kVectors; ++v)
      total[v] = Rule::join(total[v], Rule::take(load(x + v * kLanes)));
  for (int v = 0; v < kVectors; ++v) store(acc + v * kLanes, total[v]);
}

template <RowFold F>
void fold_columns(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                  float* acc) {
  using Rule = Folding<F>;
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= columns; i += 4 * kLanes) fold_strip<F, 4>(x + i, stride, rows, acc + i);
  for (; i + kLanes <= columns; i += kLanes) fold_strip<F, 1>(x + i, stride, rows, acc + i);
  if (i == columns) return;
  Vec total = load_first(acc + i, columns - i);
  for (std::int64_t r = 0; r < rows; ++r)
    total = Rule::join(total, Rule::take(load_first(x + r * stride + i, columns - i)));
  store_first(acc + i, total, columns - i);
}

float exp_sum(const float* x, float* y, std::int64_t count, float scale, float shift) {
  const Vec factor = splat(scale), offset = splat(shift);
  Vec total[2] = {zero(), zero()};
  const auto one = [&](Vec v) __attribute__((always_inline)) {
    return exp_or_zero(mul(sub(v, offset), factor));
  };
  std::int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes)
    for (int v = 0; v < 2; ++v) {
      const Vec e = one(load(x + i + v * kLanes));
      store(y + i + v * kLanes, e);
      total[v] = add(total[v], e);
    }
  for (; i + kLanes <= count; i += kLanes) {
    const Vec e = one(load(x + i));
    store(y + i, e);
    total[0] = add(total[0], e);
  }
  if (i < count) {
    store_first(y + i, one(load_first(x + i, count - i)), count - i);
    total[1] = add(total[1], load_first(y + i, count - i));
  }
  return static_cast<float>(join_lanes<Folding<RowFold::sum>>(add(total[0], total[1]), 0));
}

#define SKIFF_UNARY(name) unary_row<RowUnary::name>
#define SKIFF_BINARY(name) binary_row<RowBinary::name>
// Entries stand in the order of the enums.
constexpr RowTable kRows = {
    .unary = {SKIFF_UNARY(abs), SKIFF_UNARY(neg), SKIFF_UNARY(exp), SKIFF_UNARY(log),
              SKIFF_UNARY(sqrt), SKIFF_UNARY(rsqrt), SKIFF_UNARY(reciprocal), SKIFF_UNARY(square),
              SKIFF_UNARY(floor), SKIFF_UNARY(ceil), SKIFF_UNARY(round), SKIFF_UNARY(erf),
              SKIFF_UNARY(sin), SKIFF_UNARY(cos)},
    .binary = {SKIFF_BINARY(add), SKIFF_BINARY(sub), SKIFF_BINARY(mul), SKIFF_BINARY(div),
               SKIFF_BINARY(minimum), SKIFF_BINARY(maximum), SKIFF_BINARY(squared_difference),
               SKIFF_BINARY(prelu)},
    .fold = {fold_row<RowFold::sum>, fold_row<RowFold::sum_abs>, fold_row<RowFold::sum_square>,
             fold_row<RowFold::maximum>, fold_row<RowFold::minimum>, fold_row<RowFold::product>},
    .fold_columns = {fold_columns<RowFold::sum>, fold_columns<RowFold::sum_abs>,
                     fold_columns<RowFold::sum_square>, fold_columns<RowFold::maximum>,
                     fold_columns<RowFold::minimum>, fold_columns<RowFold::product>},
    .exp_sum = exp_sum,
    .sum_square_about = sum_square_about,
    .normalize = normalize,
    .weighted_sum = weighted_sum,
    .weighted_rows = weighted_rows,
    .pad_rows = pad_rows,
    .scale_shift = scale_shift,
};
#undef SKIFF_UNARY
#undef SKIFF_BINARY

}  // namespace
}  // namespace skiff::cpu
