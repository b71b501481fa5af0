#pragma once

#include <bit>
#include <cstdint>

#include "runtime/core/hash.h"
#include "runtime/ops/conv.h"

namespace skiff {

/// What integer operators take and give.
inline bool is_byte(DType dtype) noexcept { return dtype == DType::int8 || dtype == DType::uint8; }

/// A tensor that is quantized as a whole: real = scale * (stored - zero).
struct TensorScale {
  float scale = 1;
  std::int32_t zero = 0;
};

/// Of an int8 or uint8 operand or result. Throws Error{invalid_model} where its value has not one
/// positive, finite scale and a zero point of its type.
TensorScale read_tensor_scale(const NodeView& node, const TensorInfo& tensor);

/// Of int8 weights with zero points 0: one scale, or one an output channel.
struct ChannelScales {
  const float* first = nullptr;
  int step = 0;  ///< 0: one for all

  float of(std::int64_t channel) const noexcept { return first[channel * step]; }
};
ChannelScales read_channel_scales(const NodeView& node, const TensorInfo& weights);

/// How the exact sums of an integer convolution become its results, by
///   real = x.scale * weights.of(c) * sum + bias[c],
/// and, where it is quantized, stored = saturate(round(activation(real) / y.scale) + y.zero).
struct IntegerScales {
  TensorScale x, y;
  ChannelScales weights;
  bool quantized = false;  ///< false: the result is float32, y is not meant
};
/// Checks the operands' and the result's quantization.
IntegerScales read_integer_scales(const NodeView& node, const TensorInfo& output);

/// What one of the sums of output channel c is worth, in steps of a quantized result.
float integer_factor(const IntegerScales& scales, std::int64_t channel) noexcept;

/// A hash of all that factors and starts of the sums depend on, for keys of packed forms. `offset`:
/// what is added to the input's numbers before they are multiplied.
inline std::uint64_t integer_key(const IntegerScales& scales, std::int64_t channels,
                                 std::int32_t offset) noexcept {
  std::uint64_t key = hashed(hashed(0, scales.x.zero), offset);
  for (std::int64_t c = 0; c < channels; ++c)
    key = hashed(key, std::bit_cast<std::uint32_t>(integer_factor(scales, c)));
  return key;
}

/// The rest of the way from a sum to a quantized result:
///   round half to even(min(max(factor sum + bias_factor bias[c], low), high)) + zero.
struct IntegerRounding {
  float bias_factor = 1;
  float low, high;  ///< what type and activation (relu, clip) allow; of float32: the activation
  std::int32_t zero = 0;
};
IntegerRounding integer_rounding(const NodeView& node, const TensorInfo& output,
                                 const IntegerScales& scales) noexcept;

/// Products of 8 bits that an int32 holds, whatever they are.
inline constexpr std::int64_t kMostIntegerProducts = std::int64_t{1} << 16;
/// For kernels. Throws Error{unsupported} where there are more.
inline void require_exact_sums(const NodeView& node, const ConvGeometry& g) {
  const std::int64_t products = g.taps() * g.group_cin();
  if (products > kMostIntegerProducts)
    fail(ErrorCode::unsupported, "node '", node.name, "' (integer_conv): sums of ", products,
         " products could leave int32");
}

}  // namespace skiff
