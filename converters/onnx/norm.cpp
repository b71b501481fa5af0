#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Normalisations.
namespace skiff::onnx {
namespace {

using B = fb::BinaryFunction;
using R = fb::ReduceFunction;
using U = fb::UnaryFunction;

struct Moments {
  ValueId mean, variance;
};

/// Mean and variance over axes, which stay with extent 1.
Moments moments(Op& op, ValueId x, const Ints& axes) {
  const ValueId mean = op.b.reduce(R::mean, x, axes, true);
  const ValueId centred = op.b.binary(B::sub, x, mean);
  return {mean, op.b.reduce(R::mean, op.b.unary(U::square, centred), axes, true)};
}

/// x * factor + offset with one factor and offset a channel, which fold when all is known.
ValueId normalize_channels(Op& op, ValueId x, ValueId scale, ValueId bias, ValueId mean,
                           ValueId variance, float epsilon) {
  const DType dtype = op.b.dtype(x);
  const int rank = op.b.rank(x);
  const ValueId deviation =
      op.b.unary(U::sqrt, op.b.binary_number(B::add, variance, static_cast<double>(epsilon)));
  const ValueId factor = op.b.binary(B::div, op.b.cast(scale, op.b.dtype(deviation)), deviation);
  const ValueId offset =
      op.b.binary(B::sub, op.b.cast(bias, op.b.dtype(factor)), op.b.binary(B::mul, mean, factor));
  const ValueId scaled = op.b.binary(B::mul, x, op.b.per_channel(op.b.cast(factor, dtype), rank));
  return op.b.binary(B::add, scaled, op.b.per_channel(op.b.cast(offset, dtype), rank));
}

/// Statistics of the batch, and the running ones moved towards them.
void batch_norm_training(Op& op, float epsilon, float momentum) {
  Ints axes{0};
  for (int axis = 2; axis < op.rank(0); ++axis) axes.push_back(axis);
  const Moments batch = moments(op, op.in(0), axes);
  const Shape channels{op.shape(0)[1]};
  const ValueId mean = op.b.reshape(batch.mean, channels);
  const ValueId variance = op.b.reshape(batch.variance, channels);
  op.out(normalize_channels(op, op.in(0), op.in(1), op.in(2), mean, variance, epsilon));
  const auto running = [&](ValueId old, ValueId now) {
    const ValueId kept = op.b.binary_number(B::mul, old, static_cast<double>(momentum));
    const ValueId moved = op.b.binary_number(B::mul, now, 1.0 - static_cast<double>(momentum));
    return op.b.binary(B::add, kept, moved);
  };
  if (op.wants(1)) op.out(1, running(op.in(3), mean));
  if (op.wants(2)) op.out(2, running(op.in(4), variance));
}

void import_batch_norm(Op& op) {
  op.ignore({"is_test", "consumed_inputs"});
  const float epsilon = op.number("epsilon", 1e-5f), momentum = op.number("momentum", 0.9f);
  op.check(op.flag("spatial", true), "spatial = 0 (a statistic for each place) is not supported");
  op.check(op.rank(0) >= 2, "the input has the shape ", op.shape(0), ", needs a channel axis");
  if (op.flag("training_mode", false)) return batch_norm_training(op, epsilon, momentum);
  for (int i = 1; i < op.outputs(); ++i)
    op.check(!op.wants(i), "it is in training mode (output ", i, " is used)");
  op.out(normalize_channels(op, op.in(0), op.in(1), op.in(2), op.in(3), op.in(4), epsilon));
}

ValueId group_norm(Op& op, std::int64_t groups, ValueId scale, ValueId bias, float epsilon) {
  fb::NormAttrsT attrs;
  attrs.groups = groups;
  attrs.epsilon = epsilon;
  const ValueId x = op.b.channels_last(op.in(0));
  return op.b.channels_first(op.b.add(fb::OpKind::group_norm, attrs, {x, scale, bias}));
}

void import_instance_norm(Op& op) {
  op.ignore({"consumed_inputs"});
  op.check(op.rank(0) >= 3, "the input has the shape ", op.shape(0), ", needs a spatial axis");
  op.out(group_norm(op, op.shape(0)[1], op.in(1), op.in(2), op.number("epsilon", 1e-5f)));
}

void import_group_norm(Op& op) {
  op.ignore({"stash_type"});
  const std::int64_t groups = op.integer("num_groups");
  op.check(op.rank(0) >= 3, "the input has the shape ", op.shape(0), ", needs a spatial axis");
  const std::int64_t channels = op.shape(0)[1];
  op.check(groups >= 1 && channels % groups == 0, "num_groups ", groups, " does not divide ",
           channels, " channels");
  ValueId scale = op.in(1), bias = op.in(2);
  if (op.version < 21) {  // one number a group
    const auto spread = [&](ValueId x) {
      const ValueId column = op.b.reshape(x, {groups, 1});
      return op.b.reshape(op.b.expand(column, {groups, channels / groups}), {channels});
    };
    scale = spread(scale);
    bias = spread(bias);
  }
  op.out(group_norm(op, groups, scale, bias, op.number("epsilon", 1e-5f)));
}

/// layer_norm with scale and bias inside when they lie like the normalised axes, else behind it.
ValueId layer_norm(Op& op, int axis, float epsilon, bool rms) {
  fb::NormAttrsT attrs;
  attrs.axis = axis;
  attrs.epsilon = epsilon;
  attrs.rms = rms;
  const Shape& shape = op.shape(0);
  const Shape tail(std::span(shape.begin() + axis, shape.end()));
  const auto fits = [&](int i) { return !op.has(i) || op.shape(i) == tail; };
  std::vector<ValueId> inputs{op.in(0)};
  const bool inside = fits(1) && fits(2);
  for (int i = 1; inside && i <= 2; ++i)
    if (op.has(i)) inputs.push_back(op.in(i));
  ValueId y = op.b.add(fb::OpKind::layer_norm, attrs, std::move(inputs));
  if (inside) return y;
  y = op.b.binary(B::mul, y, op.in(1));
  return op.has(2) ? op.b.binary(B::add, y, op.in(2)) : y;
}

void import_layer_norm(Op& op) {
  op.ignore({"stash_type"});
  const int axis = op.axis(op.integer("axis", -1), op.rank(0));
  const float epsilon = op.number("epsilon", 1e-5f);
  op.out(layer_norm(op, axis, epsilon, false));
  if (!op.wants(1) && !op.wants(2)) return;
  Ints axes;
  for (int i = axis; i < op.rank(0); ++i) axes.push_back(i);
  const Moments found = moments(op, op.b.cast(op.in(0), DType::float32), axes);
  if (op.wants(1)) op.out(1, found.mean);
  const ValueId shifted = op.b.binary_number(B::add, found.variance, static_cast<double>(epsilon));
  if (op.wants(2)) op.out(2, op.b.unary(U::rsqrt, shifted));
}

void import_rms_norm(Op& op) {
  op.ignore({"stash_type"});
  const int axis = op.axis(op.integer("axis", -1), op.rank(0));
  op.out(layer_norm(op, axis, op.number("epsilon", 1e-5f), true));
}

void import_lp_norm(Op& op) {
  fb::LpNormAttrsT attrs;
  attrs.axis = op.axis(op.integer("axis", -1), op.rank(0));
  attrs.p = op.integer("p", 2);
  op.out(op.b.add(fb::OpKind::lp_norm, attrs, {op.in(0)}));
}

void import_lrn(Op& op) {
  fb::LrnAttrsT attrs;
  attrs.size = op.integer("size");
  attrs.alpha = op.number("alpha", 0.0001f);
  attrs.beta = op.number("beta", 0.75f);
  attrs.bias = op.number("bias", 1);
  op.check(op.rank(0) >= 3, "the input has the shape ", op.shape(0), ", needs a spatial axis");
  op.out(op.b.channels_first(op.b.add(fb::OpKind::lrn, attrs, {op.b.channels_last(op.in(0))})));
}

/// (x - mean) / (deviation + 1e-9), the deviation from E[x^2] - E[x]^2 as the definition has it.
void import_mean_variance(Op& op) {
  Ints axes = op.integers("axes");
  if (!op.has_attr("axes")) axes = {0, 2, 3};
  axes = op.axes(axes, op.rank(0));
  const ValueId x = op.in(0), mean = op.b.reduce(R::mean, x, axes, true);
  const ValueId squares = op.b.reduce(R::mean, op.b.unary(U::square, x), axes, true);
  const ValueId variance = op.b.binary(B::sub, squares, op.b.unary(U::square, mean));
  const ValueId deviation = op.b.binary_number(B::add, op.b.unary(U::sqrt, variance), 1e-9);
  op.out(op.b.binary(B::div, op.b.binary(B::sub, x, mean), deviation));
}

constexpr Adapter kAdapters[] = {
    {"BatchNormalization", {1, 6, 7, 9, 14, 15}, import_batch_norm},
    {"GroupNormalization", {18, 21}, import_group_norm},
    {"InstanceNormalization", {1, 6, 22}, import_instance_norm},
    {"LRN", {1, 13}, import_lrn},
    {"LayerNormalization", {17}, import_layer_norm},
    {"LpNormalization", {1, 22}, import_lp_norm},
    {"MeanVarianceNormalization", {9, 13}, import_mean_variance},
    {"RMSNormalization", {23}, import_rms_norm},
};

}  // namespace

std::span<const Adapter> norm_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
