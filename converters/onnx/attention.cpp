#include <algorithm>
#include <cmath>
#include <limits>

#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Attention and what belongs to it. What the operator has no form for is written out in products
// and softmax.
namespace skiff::onnx {
namespace {

using B = fb::BinaryFunction;
using U = fb::UnaryFunction;

constexpr std::int64_t kMaxMask = std::int64_t{1} << 24;
constexpr double kMasked = -std::numeric_limits<double>::infinity();

/// [B, T, H D] -> [B, H, T, D]; four axes stay as they are.
ValueId split_heads(Op& op, ValueId x, std::int64_t heads) {
  const Shape& shape = op.b.shape(x);
  if (shape.rank() == 4) return x;
  op.check(shape.rank() == 3 && heads >= 1 && shape[2] % heads == 0, shape,
           " does not divide into ", heads, " heads");
  const Shape split{shape[0], shape[1], heads, shape[2] / heads};
  return op.b.transpose(op.b.reshape(x, split), {0, 2, 1, 3});
}

/// Every head `times` over, next to itself.
ValueId repeat_heads(Op& op, ValueId x, std::int64_t times) {
  if (times == 1) return x;
  const Shape s = op.b.shape(x);
  const ValueId apart = op.b.reshape(x, {s[0], s[1], 1, s[2], s[3]});
  const ValueId wide = op.b.expand(apart, {s[0], s[1], times, s[2], s[3]});
  return op.b.reshape(wide, {s[0], s[1] * times, s[2], s[3]});
}

/// A mask as numbers to add: -inf where false; padded on the right to `length` keys.
ValueId additive_mask(Op& op, ValueId mask, DType dtype, std::int64_t length) {
  if (op.b.dtype(mask) == DType::boolean)
    mask = op.b.where(mask, op.b.scalar(dtype, 0), op.b.scalar(dtype, kMasked));
  const int rank = op.b.rank(mask);
  op.check(rank >= 1, "attn_mask is a scalar");
  Ints pads(2 * static_cast<std::size_t>(rank), 0);
  pads.back() = std::max<std::int64_t>(length - op.b.dim(mask, rank - 1), 0);
  return op.b.pad(mask, pads, fb::PadMode::constant, kMasked);
}

/// Query i sees keys up to past + i.
ValueId causal_mask(Op& op, DType dtype, std::int64_t queries, std::int64_t keys,
                    std::int64_t past) {
  op.check(queries <= kMaxMask && keys <= kMaxMask && queries * keys <= kMaxMask,
           "its mask has the shape [", queries, ", ", keys, "]");
  std::vector<double> mask;
  for (std::int64_t i = 0; i < queries; ++i)
    for (std::int64_t j = 0; j < keys; ++j) mask.push_back(j > past + i ? kMasked : 0);
  return op.b.from_numbers(dtype, {queries, keys}, mask);
}

/// Keys behind the length of each sequence are masked: [B, 1, 1, keys].
ValueId length_mask(Op& op, ValueId lengths, DType dtype, std::int64_t keys) {
  op.check(keys <= kMaxMask, "it has ", keys, " keys");
  Ints places;
  for (std::int64_t i = 0; i < keys; ++i) places.push_back(i);
  const ValueId place = op.b.from_integers(op.b.dtype(lengths), {keys}, places);
  const ValueId column = op.b.reshape(lengths, {op.b.shape(lengths).elements(), 1, 1, 1});
  const ValueId inside = op.b.binary(B::less, place, column);
  return op.b.where(inside, op.b.scalar(dtype, 0), op.b.scalar(dtype, kMasked));
}

struct Heads {
  ValueId q, k, v;
  std::int64_t past = 0;
};

Heads read_heads(Op& op) {
  const std::int64_t q_heads = op.integer("q_num_heads", 0),
                     kv_heads = op.integer("kv_num_heads", 0);
  Heads heads{split_heads(op, op.in(0), q_heads), split_heads(op, op.in(1), kv_heads),
              split_heads(op, op.in(2), kv_heads)};
  for (ValueId x : {heads.q, heads.k, heads.v})
    op.check(op.b.rank(x) == 4, "an operand has the shape ", op.b.shape(x));
  if (op.has(4)) {
    heads.past = op.shape(4)[2];
    heads.k = op.b.concat({op.in(4), heads.k}, 2);
  }
  if (op.has(5)) heads.v = op.b.concat({op.in(5), heads.v}, 2);
  return heads;
}

/// Masks to add to the scores. `causal`: with the one that follows from the places.
std::vector<ValueId> additive_masks(Op& op, const Heads& heads, bool causal) {
  const DType dtype = op.b.dtype(heads.q);
  const std::int64_t queries = op.b.dim(heads.q, 2), keys = op.b.dim(heads.k, 2);
  std::vector<ValueId> masks;
  if (op.has(3)) masks.push_back(additive_mask(op, op.in(3), dtype, keys));
  if (causal) masks.push_back(causal_mask(op, dtype, queries, keys, heads.past));
  if (op.has(6)) masks.push_back(length_mask(op, op.in(6), dtype, keys));
  return masks;
}

double scale_of(Op& op, const Heads& heads) {
  const auto depth = static_cast<double>(op.b.dim(heads.q, 3));
  return op.has_attr("scale") ? static_cast<double>(op.number("scale", 0)) : 1.0 / std::sqrt(depth);
}

/// As one operator.
ValueId attend(Op& op, const Heads& heads) {
  fb::AttentionAttrsT attrs;
  attrs.scale = static_cast<float>(scale_of(op, heads));
  attrs.softcap = std::max(0.0f, op.number("softcap", 0));
  const bool causal = op.flag("is_causal", false);
  attrs.causal = causal && heads.past == 0;
  std::vector<ValueId> inputs{heads.q, heads.k, heads.v};
  const bool plain = op.has(3) && !op.has(6) && causal == attrs.causal && op.rank(3) >= 1 &&
                     op.shape(3).back() == op.b.dim(heads.k, 2);
  ValueId mask = plain ? op.in(3) : kAbsent;
  if (!plain)
    for (ValueId added : additive_masks(op, heads, causal && !attrs.causal))
      mask = mask == kAbsent ? added : op.b.binary(B::add, mask, added);
  if (mask != kAbsent) inputs.push_back(mask);
  return op.b.add(fb::OpKind::attention, attrs, std::move(inputs));
}

/// In products and softmax.
ValueId write_out(Op& op, const Heads& heads, DType inner) {
  const DType dtype = op.b.dtype(heads.q);
  const std::int64_t q_heads = op.b.dim(heads.q, 1), kv_heads = op.b.dim(heads.k, 1);
  const ValueId k = repeat_heads(op, heads.k, q_heads / kv_heads);
  const ValueId v = repeat_heads(op, heads.v, q_heads / kv_heads);
  ValueId steps[4];  // raw, capped, masked, softmax: what qk_matmul_output_mode counts
  steps[0] = steps[1] = op.b.matmul(heads.q, k, false, true, scale_of(op, heads));
  if (const auto cap = static_cast<double>(op.number("softcap", 0)); cap > 0) {
    const ValueId squeezed = op.b.unary(U::tanh, op.b.binary_number(B::div, steps[0], cap));
    steps[1] = op.b.binary_number(B::mul, squeezed, cap);
  }
  steps[2] = steps[1];
  for (ValueId mask : additive_masks(op, heads, op.flag("is_causal", false)))
    steps[2] = op.b.binary(B::add, steps[2], mask);
  steps[3] = op.b.cast(op.b.softmax(op.b.cast(steps[2], inner), 3), dtype);
  const std::int64_t mode = op.integer("qk_matmul_output_mode", 0);
  op.check(mode >= 0 && mode <= 3, "qk_matmul_output_mode is ", mode);
  op.out(3, steps[mode]);
  return op.b.matmul(steps[3], v);
}

void import_attention(Op& op) {
  const Heads heads = read_heads(op);
  op.out(1, heads.k);
  op.out(2, heads.v);
  const DType dtype = op.b.dtype(heads.q);
  const std::int64_t q_heads = op.b.dim(heads.q, 1), kv_heads = op.b.dim(heads.k, 1);
  op.check(kv_heads >= 1 && q_heads % kv_heads == 0, q_heads, " heads of queries and ", kv_heads,
           " of keys");
  const std::int64_t precision = op.integer("softmax_precision", 0);
  const DType inner = precision == 0 ? dtype : need_dtype(static_cast<int>(precision), "softmax");
  op.ignore({"qk_matmul_output_mode"});
  const bool one =
      dtype == DType::float32 && inner == dtype && !op.wants(3) && scale_of(op, heads) != 0;
  ValueId y = one ? attend(op, heads) : write_out(op, heads, inner);
  if (op.rank(0) == 3) {
    y = op.b.transpose(y, {0, 2, 1, 3});
    const Shape& s = op.b.shape(y);
    y = op.b.reshape(y, {s[0], s[1], s[2] * s[3]});
  }
  op.out(y);
}

/// cos and sin of each place, [B or 1, T, 1, half].
ValueId rotary_cache(Op& op, int i, std::int64_t half) {
  ValueId cache = op.in(i);
  if (op.has(3)) cache = op.b.gather(cache, op.in(3), 0);
  op.check(op.b.rank(cache) == 3 && op.b.dim(cache, 2) == half, "a cache has the shape ",
           op.b.shape(cache), ", needs ", half, " numbers a place");
  return op.b.unsqueeze(cache, {2});
}

ValueId strided_half(Op& op, ValueId x, std::int64_t start, std::int64_t step, std::int64_t half) {
  const Shape& s = op.b.shape(x);
  return op.b.slice(x, {0, 0, 0, start}, {s[0], s[1], s[2], half}, {1, 1, 1, step});
}

/// Pairs of numbers of a head turn by an angle that grows with the place.
void import_rotary(Op& op) {
  const bool interleaved = op.flag("interleaved", false);
  const std::int64_t heads = op.integer("num_heads", 0);
  const bool folded = op.rank(0) == 3;
  ValueId x = op.in(0);  // to [B, T, H, D]
  const Shape given = op.b.shape(x);
  if (folded) {
    op.check(heads >= 1 && given[2] % heads == 0, given, " does not divide into ", heads, " heads");
    x = op.b.reshape(x, {given[0], given[1], heads, given[2] / heads});
  } else {
    op.check(given.rank() == 4, "the input has the shape ", given);
    x = op.b.transpose(x, {0, 2, 1, 3});
  }
  const std::int64_t depth = op.b.dim(x, 3);
  std::int64_t turned = op.integer("rotary_embedding_dim", 0);
  if (turned == 0) turned = depth;
  op.check(turned > 0 && turned <= depth && turned % 2 == 0, "rotary_embedding_dim is ", turned);
  const std::int64_t half = turned / 2, step = interleaved ? 2 : 1;
  const ValueId cos = rotary_cache(op, 1, half), sin = rotary_cache(op, 2, half);
  const ValueId a = strided_half(op, x, 0, step, half);
  const ValueId b = strided_half(op, x, interleaved ? 1 : half, step, half);
  const auto mul = [&](ValueId left, ValueId right) { return op.b.binary(B::mul, left, right); };
  const ValueId real = op.b.binary(B::sub, mul(cos, a), mul(sin, b));
  const ValueId imaginary = op.b.binary(B::add, mul(sin, a), mul(cos, b));
  Shape pairs = op.b.shape(x);
  pairs[3] = turned;
  ValueId y =
      interleaved
          ? op.b.reshape(
                op.b.concat({op.b.unsqueeze(real, {4}), op.b.unsqueeze(imaginary, {4})}, 4), pairs)
          : op.b.concat({real, imaginary}, 3);
  if (turned < depth) y = op.b.concat({y, op.b.slice_axis(x, 3, turned, depth - turned)}, 3);
  op.out(folded ? op.b.reshape(y, given) : op.b.transpose(y, {0, 2, 1, 3}));
}

/// Depthwise 1-D convolution over what came before and the input; the tail is kept for the next
/// call.
void import_causal_conv(Op& op) {
  const std::string activation = op.text("activation", "none");
  op.check(activation == "none" || activation == "silu" || activation == "swish", "activation is '",
           activation, "'");
  op.check(op.rank(0) == 3 && op.rank(1) == 3, "operands have the shapes ", op.shape(0), " and ",
           op.shape(1));
  const std::int64_t channels = op.shape(0)[1], kernel = op.shape(1)[2];
  op.check(kernel >= 1, "the kernel has the shape ", op.shape(1));
  ValueId x = op.in(0);
  if (op.has(3))
    x = op.b.concat({op.in(3), x}, 2);
  else
    x = op.b.pad(x, {0, 0, kernel - 1, 0, 0, 0}, fb::PadMode::constant, 0);
  op.out(1, op.b.slice_axis(x, 2, op.b.dim(x, 2) - (kernel - 1), kernel - 1));
  fb::ConvAttrsT attrs;
  attrs.groups = channels;
  const ValueId weights = op.b.channels_last(op.in(1));
  std::vector<ValueId> inputs{op.b.channels_last(x), weights};
  if (op.has(2)) inputs.push_back(op.in(2));
  const ValueId y = op.b.channels_first(op.b.add(fb::OpKind::conv, attrs, std::move(inputs)));
  op.out(activation == "none" ? y : op.b.unary(U::swish, y, 1));
}

constexpr Adapter kAdapters[] = {
    {"Attention", {23, 24}, import_attention},
    {"CausalConvWithState", {27}, import_causal_conv},
    {"RotaryEmbedding", {23}, import_rotary},
};

}  // namespace

std::span<const Adapter> attention_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
