#include <cstring>

#include "converters/tflite/imports.h"
#include "converters/tflite/window.h"

namespace skiff::convert::tfl {
namespace {

/// The options are a C struct as it lay in memory: padding (1: same, 2: valid), stride along the
/// width, stride along the height, each a little-endian int32; later versions append fields.
struct TransposeConvParams {
  std::int32_t padding = 0;
  std::int32_t stride_w = 0;
  std::int32_t stride_h = 0;
};

TransposeConvParams read_params(const Operation& op) {
  const auto* bytes = op.source().custom_options();
  TransposeConvParams params;
  if (length(bytes) < sizeof params) op.refuse("its options have ", length(bytes), " bytes");
  std::memcpy(&params, bytes->data(), sizeof params);
  if (params.padding != 1 && params.padding != 2) op.refuse("it has padding ", params.padding);
  op.check(params.stride_w > 0 && params.stride_h > 0, "strides ", params.stride_h, " and ",
           params.stride_w);
  return params;
}

/// `same` gives in * stride; `valid` every element a window touches.
std::int64_t output_extent(const Operation& op, std::int64_t in, std::int64_t kernel,
                           std::int64_t stride, bool same) {
  op.check(in > 0 && in < kMaxExtent, "an extent of ", in);
  const std::int64_t extent = same ? in * stride : (in - 1) * stride + kernel;
  op.check(extent < kMaxExtent, "an output extent of ", extent);
  return extent;
}

}  // namespace

/// Operands x [N, H, W, Cin], weights [Cout, kh, kw, Cin], bias [Cout].
void import_transpose_conv_bias(Operation& op) {
  const TransposeConvParams params = read_params(op);
  const Shape x = op.shape(0), w = op.shape(1);
  op.check(x.rank() == 4 && w.rank() == 4, "operands of shapes ", x, " and ", w);
  const bool same = params.padding == 1;
  const Shape out{output_extent(op, x[1], w[1], params.stride_h, same),
                  output_extent(op, x[2], w[2], params.stride_w, same)};
  fb::ConvAttrsT attrs;
  attrs.strides = {params.stride_h, params.stride_w};
  add_conv_transpose(op, attrs, op.in(0), op.in(1), op.in_or_absent(2), out,
                     same ? tflite::Padding::same : tflite::Padding::valid);
}

}  // namespace skiff::convert::tfl
