#pragma once

#include <cstdint>

#include "runtime/cpu/row_table.h"

// What the objects compiled per instruction set share with the rest: plain structs and one table of
// functions. Nothing here may have an inline function or a template: such code would be emitted as
// a weak symbol by every object and the linker could keep the one with AVX-512 in it.
namespace skiff::cpu {

/// Equal to the schema's UnaryFunction (activation.cpp asserts it): what can be fused.
enum class Activation : std::uint8_t {
  none = 0,
  relu = 1,
  clip = 2,
  leaky_relu = 3,
  sigmoid = 4,
  tanh = 5,
  hard_sigmoid = 6,
  hard_swish = 7,
  swish = 8,
  gelu_erf = 9,
  gelu_tanh = 10,
  elu = 11,
  selu = 12,
  celu = 13,
  softplus = 14,
  softsign = 15,
  mish = 16,
  thresholded_relu = 17,
  shrink = 18,
};

struct Epilogue {
  Activation activation = Activation::none;
  float alpha = 0;
  float beta = 0;
};

/// One position of a window: its displacement in input pixels, and the same in elements.
struct Tap {
  std::int32_t z = 0;
  std::int32_t y = 0;
  std::int32_t x = 0;
  std::int64_t offset = 0;
};

/// Where the rows of a product lie. Row m is a point (b, z, y, x) of the grid, x fastest.
/// row(m, t) starts at the input pixel (b, z step_z + tap.z, y step_y + tap.y, x step_x + tap.x),
/// or stands for padding when that lies outside. A matrix product is the case of one tap. All
/// strides are in elements.
struct RowGrid {
  const Tap* taps = nullptr;
  std::int32_t tap_count = 1;
  std::int32_t vectors = 1;                   ///< vectors a panel
  std::int64_t k = 0;                         ///< inner length of a tap
  std::int64_t n = 0;                         ///< output columns
  std::int32_t in_d = 1, in_h = 1, in_w = 1;  ///< input extents
  std::int32_t grid_d = 1, grid_h = 1, grid_w = 1;
  std::int32_t step_z = 1, step_y = 1, step_x = 1;
  std::int64_t in_batch = 0, in_z = 0, in_y = 0, in_x = 0;      ///< input strides
  std::int64_t out_batch = 0, out_z = 0, out_y = 0, out_x = 0;  ///< output strides of the grid
  bool linear = false;  ///< one tap at 0, never outside, row m at m * in_x and m * out_x
};

/// A product of gathered rows with packed columns:
///   output[m][n] = f(bias[n] + residual[m][n] + sum over taps t, k of row(m, t)[k] * w[t][k][n])
/// The order of the sum is taps, then k, whatever the tile: results do not depend on how the rows
/// are partitioned.
struct ConvArgs : RowGrid {
  const float* input = nullptr;
  const float* weights = nullptr;   ///< packed: see PanelLayout and narrow_columns in tiling.h
  const float* bias = nullptr;      ///< n elements, or null
  const float* residual = nullptr;  ///< laid out as the output, or null; may be the output
  const float* zeros = nullptr;     ///< k zeros; may be null when every tap is inside
  float* output = nullptr;
  std::int32_t narrow = 0;  ///< columns of the narrow form, 0: panels
  /// 0: weights are packed. Else they lie as [k][n], this many elements from one k to the next, and
  /// n is a multiple of the lanes; one tap.
  std::int64_t k_stride = 0;
  std::int64_t rows = 0;  ///< of all calls that go over a panel in turn; 0: each call is alone
  bool streams = false;   ///< the weights are a part of many, which no cache holds
  Epilogue epilogue;
};

/// How sums become the results of a column c of [0, n):
///   value = f(factors[c] * sum + bias_factor * bias[c]) in float32, which is stored as it is, or
///   as round half to even(min(max(value, low), high)) + zero.
struct IntegerResult {
  const float* factors = nullptr;  ///< n elements
  const float* bias = nullptr;     ///< n elements, or null
  float bias_factor = 1;
  float low = 0, high = 0;  ///< what f and the stored type allow; of stored integers
  std::int32_t zero = 0;
  bool bytes = false;  ///< int8 or uint8; else float32
  Epilogue epilogue;   ///< of float32 results
};

/// The same product of 8-bit integers: sums are exact. Columns [0, round_up(n, lanes)) of weights
/// and starts can be read.
struct IntegerArgs : RowGrid {
  const std::uint8_t* input = nullptr;    ///< int8 or uint8
  const void* weights = nullptr;          ///< packed: see IntegerTable
  const std::int32_t* starts = nullptr;   ///< what the sum of each column starts with
  const std::uint8_t* padding = nullptr;  ///< k times what stands for padding, or null
  void* output = nullptr;
  bool is_signed = false;   ///< the input is int8
  bool as_factors = false;  ///< the input is what is multiplied: the offset of its type is added
  IntegerResult result;
};

/// Where the windows of a channels-last operator lie that works channel by channel. 2-D (1-D is
/// height 1).
struct WindowGrid {
  std::int64_t channels = 0;
  std::int64_t in_pixel = 0, out_pixel = 0;  ///< elements from one pixel to the next
  std::int32_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  /// The input's rows may lie in a ring: row y is the ring's row (in_slot + y) mod in_ring.
  std::int32_t in_slot = 0, in_ring = INT32_MAX;
  std::int32_t kernel_h = 1, kernel_w = 1;
  std::int32_t stride_h = 1, stride_w = 1;
  std::int32_t dilation_h = 1, dilation_w = 1;
  std::int32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};

/// Depthwise convolution: output[p][c] = f(bias[c] + sum over taps of x[tap of p][c] * w[tap][c]).
/// Also pooling, where there are no weights.
struct WindowArgs : WindowGrid {
  const float* input = nullptr;
  /// [vector of channels][kernel_h * kernel_w][lanes], missing channels zero.
  const float* weights = nullptr;
  const float* bias = nullptr;
  const float* residual = nullptr;  ///< laid out as the output, or null; may be the output
  const float* zeros = nullptr;     ///< `channels` zeros (depthwise only)
  float* output = nullptr;
  bool count_padding = false;  ///< average: divide by the window clipped to the padded input
  Epilogue epilogue;
};

/// Depthwise convolution of 8-bit integers with weights that are integers stored as floats: so few
/// taps that float32 holds every sum exactly.
struct IntegerWindowArgs : WindowGrid {
  const std::uint8_t* input = nullptr;  ///< int8 or uint8
  const float* weights = nullptr;       ///< as above
  /// What the sum of each channel starts with; an int8 input is summed as the uint8 128 above it.
  const float* starts = nullptr;
  const std::uint8_t* padding = nullptr;  ///< `channels` times what stands for padding
  void* output = nullptr;
  bool is_signed = false;  ///< the input is int8
  IntegerResult result;
};

/// The transforms around a convolution by Winograd's F(m x m, 3x3), stride 1, channels-last. Tiles
/// of m x m outputs are counted over images, then rows, then columns; each takes (m + 2)^2
/// products.
struct WinogradArgs {
  const float* input = nullptr;
  const float* bias = nullptr;      ///< cout elements, or null
  const float* residual = nullptr;  ///< laid out as the output, or null; may be the output
  const float* zeros = nullptr;     ///< cin zeros
  float* output = nullptr;
  std::int64_t cin = 0, cout = 0;
  std::int32_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  std::int32_t pad_top = 0, pad_left = 0;
  std::int32_t tiles_h = 1, tiles_w = 1;
  Epilogue epilogue;
};

struct WinogradTable {
  /// Tiles [begin, end): to[p step + (tile - begin) cin + c], p < (m + 2)^2.
  void (*input)(const WinogradArgs& args, std::int64_t begin, std::int64_t end, float* to,
                std::int64_t step);
  /// The same tiles' outputs, channels [column, column + columns), from their products
  /// from[p step + (tile - begin) width + c]; readable up to whole vectors.
  void (*output)(const WinogradArgs& args, std::int64_t begin, std::int64_t end,
                 std::int64_t column, std::int64_t columns, const float* from, std::int64_t width,
                 std::int64_t step);
  /// to[p step + c width + n] of a vector of columns from rows[n][3][3][cin], n < columns; the
  /// missing ones zero.
  void (*weights)(const float* rows, std::int64_t cin, std::int64_t columns, float* to,
                  std::int64_t width, std::int64_t step);
};

/// Products of 8-bit integers as one kind of instruction does them: `group` neighbours along k at a
/// time, each of `bytes` bytes. Panels lie as PanelLayout has them with the depth taps * ceil(k /
/// group), every element a group; what is missing is zero.
struct IntegerTable {
  std::int32_t group;
  std::int32_t bytes;
  /// Added to each number of an int8 or a uint8 input before it is multiplied, and so to its zero
  /// point: 128, 0 or -128.
  std::int32_t int8_offset, uint8_offset;
  void (*conv)(const IntegerArgs& args, std::int64_t row_begin, std::int64_t row_end,
               std::int64_t panel_begin, std::int64_t panel_end);
};

/// The same product of float16 numbers, passed as their bits: see HalfTable.
struct HalfArgs : RowGrid {
  const std::uint16_t* input = nullptr;
  const std::uint16_t* weights = nullptr;
  const float* bias = nullptr;           ///< n elements, or null
  const float* residual = nullptr;       ///< laid out as the output, or null; may be the output
  const std::uint16_t* zeros = nullptr;  ///< k zeros; may be null when every tap is inside
  float* output = nullptr;
  Epilogue epilogue;
};

/// Products of float16 numbers whose sums, of at most 32 products each, are float16 as well; those
/// sums are added up in float32 and end as ConvArgs' do. Error bounds stand in isa/half_conv.h.
/// Panels lie as PanelLayout has them, with the lanes of the KernelTable beside this one, for
/// elements that are pairs of neighbouring columns; what is missing is zero.
struct HalfTable {
  /// To nearest even; what is beyond float16, infinity too, becomes its largest number, NaN stays.
  void (*to_halves)(const float* x, std::uint16_t* y, std::int64_t count);
  void (*conv)(const HalfArgs& args, std::int64_t row_begin, std::int64_t row_end,
               std::int64_t panel_begin, std::int64_t panel_end);
};

/// One object's kernels. Every function is noexcept in fact (they are C-like) and allocates
/// nothing.
struct KernelTable {
  const char* name;          ///< "sse2", "avx2", "avx512", "neon"
  std::int32_t lanes;        ///< floats a vector
  std::int32_t max_rows[5];  ///< rows of the tile with v vectors, v = 1 ... 4
  std::int32_t cost[5];      ///< relative time per (row, vector) of that tile

  /// Rows [row_begin, row_end) of the grid, panels [panel_begin, panel_end).
  void (*conv)(const ConvArgs& args, std::int64_t row_begin, std::int64_t row_end,
               std::int64_t panel_begin, std::int64_t panel_end);
  /// Output rows [begin, end) of batch * out_h.
  void (*depthwise)(const WindowArgs& args, std::int64_t begin, std::int64_t end);
  void (*max_pool)(const WindowArgs& args, std::int64_t begin, std::int64_t end);
  void (*average_pool)(const WindowArgs& args, std::int64_t begin, std::int64_t end);
  /// y[i] = f(x[i]); y may be x. Error bounds stand in isa/activation.h.
  void (*activate)(const Epilogue& f, const float* x, float* y, std::int64_t count);
  /// to[i * width + j] = scale * from[i * k_stride + j * column_stride] for i < k, j < columns, and
  /// zero for columns <= j < padded (a multiple of lanes).
  void (*pack_panel)(const float* from, std::int64_t k_stride, std::int64_t column_stride,
                     std::int64_t k, std::int64_t columns, std::int64_t padded, std::int64_t width,
                     float scale, float* to);
  WinogradTable winograd[2];  ///< of tiles of 2x2 and of 4x4 outputs
  /// Nothing but multiply-adds in registers, returns how many operations: the clock beside it gives
  /// one core's peak.
  double (*multiply_adds)(std::int64_t rounds);
  IntegerTable integers;
  /// Output rows [begin, end) of batch * out_h.
  void (*integer_depthwise)(const IntegerWindowArgs& args, std::int64_t begin, std::int64_t end);
  /// y[i] = (x[i] - zero) scale; x is int8 (signed) or uint8.
  void (*dequantize)(const std::uint8_t* x, bool is_signed, float scale, std::int32_t zero,
                     float* y, std::int64_t count);
  /// y[i] = saturate(round half to even(x[i] / scale) + zero) of int8 or uint8; a NaN becomes the
  /// lowest number.
  void (*quantize)(const float* x, float scale, std::int32_t zero, bool is_signed, std::uint8_t* y,
                   std::int64_t count);
  RowTable rows;
};

}  // namespace skiff::cpu
