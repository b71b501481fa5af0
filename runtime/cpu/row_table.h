#pragma once

#include <cstdint>

// Functions over rows of floats, per instruction set: elementwise operators, reductions and
// normalisations are made of them. Part of KernelTable; its rules hold here too (no inline code).
namespace skiff::cpu {

/// Elementwise functions beside the activations. Error bounds in units in the last place: exp 2
/// (results below 2^-126 are 0), log 2, erf 4, sin and cos 2 (and 1e-6 absolute beyond |x| > 1e4);
/// rsqrt 2; the others are exact or correctly rounded. round: half to even.
enum class RowUnary : std::uint8_t {
  abs,
  neg,
  exp,
  log,
  sqrt,
  rsqrt,
  reciprocal,
  square,
  floor,
  ceil,
  round,
  erf,
  sin,
  cos,
  count
};

/// minimum and maximum hand on a NaN of either side. prelu: a < 0 ? a b : a.
enum class RowBinary : std::uint8_t {
  add,
  sub,
  mul,
  div,
  minimum,
  maximum,
  squared_difference,
  prelu,
  count
};

/// What a row is folded to; a NaN anywhere gives NaN.
enum class RowFold : std::uint8_t { sum, sum_abs, sum_square, maximum, minimum, product, count };

struct RowTable {
  /// y[i] = f(x[i]); y may be x.
  void (*unary[static_cast<int>(RowUnary::count)])(const float* x, float* y, std::int64_t count);
  /// y[i] = f(a[i step_a], b[i step_b]), steps 0 or 1; y may be an operand of step 1.
  void (*binary[static_cast<int>(RowBinary::count)])(const float* a, std::int64_t step_a,
                                                     const float* b, std::int64_t step_b, float* y,
                                                     std::int64_t count);
  /// Folds x[0, count) in a fixed order: floats in blocks of at most 1024, doubles across them.
  double (*fold[static_cast<int>(RowFold::count)])(const float* x, std::int64_t count);
  /// acc[i] = join(acc[i], every x[r stride + i]), rows in order, in float.
  void (*fold_columns[static_cast<int>(RowFold::count)])(const float* x, std::int64_t stride,
                                                         std::int64_t rows, std::int64_t columns,
                                                         float* acc);
  /// y[i] = exp(scale (x[i] - shift)), the sum returned; y may be x.
  float (*exp_sum)(const float* x, float* y, std::int64_t count, float scale, float shift);
  /// Sum of (x[i] - mean)^2, in the order of fold.
  double (*sum_square_about)(const float* x, std::int64_t count, float mean);
  /// y[i] = (x[i] - mean) factor scale[i] + bias[i]; scale (ones) and bias (zeros) may be null.
  void (*normalize)(const float* x, float* y, std::int64_t count, float mean, float factor,
                    const float* scale, const float* bias);
  /// y[i] = (accumulate ? y[i] : 0) + sum over t of weights[t] rows[t][i], in the order of t; y may
  /// be none of the rows.
  void (*weighted_sum)(const float* const* rows, const float* weights, std::int64_t taps, float* y,
                       std::int64_t count, bool accumulate);
  /// y[o count + i] = sum over t of weights[o taps + t] x[indices[o taps + t] count + i], in the
  /// order of t, for all o < outputs; y apart from x.
  void (*weighted_rows)(const float* x, const std::int64_t* indices, const float* weights,
                        std::int64_t taps, std::int64_t outputs, std::int64_t count, float* y);
  /// y[r pitch + i] = i < count ? x[r count + i] : value, for i < pitch and r < rows; y apart from
  /// x.
  void (*pad_rows)(const float* x, std::int64_t rows, std::int64_t count, float value, float* y,
                   std::int64_t pitch);
  /// y[i] = x[i] scale[i] + bias[i]: the same with statistics folded in, columns of channels-last.
  void (*scale_shift)(const float* x, const float* scale, const float* bias, float* y,
                      std::int64_t count);
};

}  // namespace skiff::cpu
