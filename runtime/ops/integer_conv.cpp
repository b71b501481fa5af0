#include "runtime/ops/integer_conv.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

std::size_t count_of(const flatbuffers::Vector<float>* numbers) noexcept {
  return numbers == nullptr ? 0 : numbers->size();
}

void check_scales(const NodeView& node, const TensorInfo& tensor) {
  check(node,
        tensor.quantization != nullptr && count_of(tensor.quantization->scale()) > 0 &&
            tensor.quantization->block_size() == 0,
        "value '", tensor.name, "' lacks its scale");
  for (const float scale : *tensor.quantization->scale())
    check(node, std::isfinite(scale) && scale > 0, "value '", tensor.name, "' has the scale ",
          scale);
}

std::int64_t zero_point(const fb::Quantization& quantization, unsigned index) noexcept {
  const auto* zeros = quantization.zero_point();
  return zeros == nullptr || zeros->size() <= index ? 0 : zeros->Get(index);
}

}  // namespace

TensorScale read_tensor_scale(const NodeView& node, const TensorInfo& tensor) {
  check_scales(node, tensor);
  const std::size_t scales = count_of(tensor.quantization->scale());
  check(node, scales == 1, "value '", tensor.name, "' has ", scales, " scales, must have one");
  const std::int64_t zero = zero_point(*tensor.quantization, 0);
  const std::int64_t least = tensor.dtype == DType::int8 ? -128 : 0;
  check(node, zero >= least && zero <= least + 255, "value '", tensor.name, "' has the zero point ",
        zero, ", which is no ", tensor.dtype);
  return {tensor.quantization->scale()->Get(0), static_cast<std::int32_t>(zero)};
}

ChannelScales read_channel_scales(const NodeView& node, const TensorInfo& weights) {
  check_scales(node, weights);
  const fb::Quantization& q = *weights.quantization;
  const std::size_t scales = count_of(q.scale());
  const bool each = static_cast<std::int64_t>(scales) == weights.shape[0] && q.axis() == 0;
  check(node, scales == 1 || each, "weights have ", scales, " scales along axis ", q.axis(),
        ", must have one or the ", weights.shape[0], " of axis 0");
  for (unsigned i = 0; i < scales; ++i)
    check(node, zero_point(q, i) == 0, "weights have the zero point ", zero_point(q, i),
          ", must have 0");
  return {q.scale()->data(), scales == 1 ? 0 : 1};
}

IntegerScales read_integer_scales(const NodeView& node, const TensorInfo& output) {
  IntegerScales scales;
  scales.x = read_tensor_scale(node, node.input(0));
  scales.weights = read_channel_scales(node, node.input(1));
  scales.quantized = is_byte(output.dtype);
  if (scales.quantized) scales.y = read_tensor_scale(node, output);
  return scales;
}

float integer_factor(const IntegerScales& scales, std::int64_t channel) noexcept {
  const double product =
      static_cast<double>(scales.x.scale) * static_cast<double>(scales.weights.of(channel));
  return static_cast<float>(scales.quantized ? product / static_cast<double>(scales.y.scale)
                                             : product);
}

IntegerRounding integer_rounding(const NodeView& node, const TensorInfo& output,
                                 const IntegerScales& scales) noexcept {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto& attrs = node.attrs<fb::ConvAttrs>();
  const bool clips = attrs.activation() == fb::UnaryFunction::clip;
  const bool bounded = clips || attrs.activation() == fb::UnaryFunction::relu;
  IntegerRounding r{.low = !bounded ? -kInfinity
                           : clips  ? attrs.alpha()
                                    : 0,
                    .high = clips ? attrs.beta() : kInfinity};
  if (!scales.quantized) return r;
  const auto lowest = static_cast<float>((output.dtype == DType::int8 ? -128 : 0) - scales.y.zero);
  r.bias_factor = 1 / scales.y.scale;
  r.low = std::clamp(r.low / scales.y.scale, lowest, lowest + 255);
  r.high = std::clamp(r.high / scales.y.scale, lowest, lowest + 255);
  r.zero = scales.y.zero;
  return r;
}

void infer_integer_conv(const NodeView& node, std::span<TensorInfo> outputs) {
  const ConvGeometry g = read_conv_geometry(node);
  const auto& attrs = node.attrs<fb::ConvAttrs>();
  check(node, node.input(1).constant, "weights are not constant");
  read_tensor_scale(node, node.input(0));
  read_channel_scales(node, node.input(1));
  const auto to = static_cast<DType>(attrs.to());
  check(node, to == DType::none || is_byte(to), "cannot give dtype ", static_cast<int>(to));
  using F = fb::UnaryFunction;
  check(node,
        to == DType::none || attrs.activation() == F::none || attrs.activation() == F::relu ||
            attrs.activation() == F::clip,
        "only relu and clip are fused before a quantized result");
  outputs[0].dtype = to == DType::none ? DType::float32 : to;
  outputs[0].shape = conv_output(g);
}

}  // namespace skiff
