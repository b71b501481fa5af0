#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Losses over classes on axis 1, written out.
namespace skiff::onnx {
namespace {

using B = fb::BinaryFunction;
using R = fb::ReduceFunction;

struct Reduced {
  ValueId loss, weight;
};

/// -log probability of the target class, [N, D...], and the weight of each place (kAbsent: all 1).
Reduced target_loss(Op& op, ValueId log_probabilities, ValueId target, ValueId class_weight) {
  const DType dtype = op.b.dtype(log_probabilities);
  ValueId ignored = kAbsent;
  if (op.has_attr("ignore_index")) {
    const auto index = static_cast<double>(op.integer("ignore_index"));
    ignored = op.b.binary_number(B::equal, target, index);
    // What is ignored may be no class at all: it reads class 0 and weighs nothing.
    target = op.b.where(ignored, op.b.scalar(op.b.dtype(target), 0), target);
  }
  fb::GatherAttrsT attrs;
  attrs.axis = 1;
  const ValueId picked = op.b.add(fb::OpKind::gather_elements, attrs,
                                  {log_probabilities, op.b.unsqueeze(target, {1})});
  ValueId loss = op.b.unary(fb::UnaryFunction::neg, op.b.squeeze(picked, {1}));
  ValueId weight = class_weight == kAbsent ? kAbsent : op.b.gather(class_weight, target, 0);
  if (ignored != kAbsent) {
    const ValueId one = weight == kAbsent ? op.b.scalar(dtype, 1) : weight;
    weight = op.b.where(ignored, op.b.scalar(dtype, 0), one);
  }
  if (weight != kAbsent) loss = op.b.binary(B::mul, loss, weight);
  return {loss, weight};
}

ValueId reduced(Op& op, const Reduced& places) {
  const std::string reduction = op.text("reduction", "mean");
  Ints axes;
  for (int axis = 0; axis < op.b.rank(places.loss); ++axis) axes.push_back(axis);
  if (reduction == "none") return places.loss;
  if (reduction == "mean" && places.weight == kAbsent)
    return op.b.reduce(R::mean, places.loss, axes, false);
  const ValueId sum = op.b.reduce(R::sum, places.loss, axes, false);
  if (reduction == "sum") return sum;
  op.check(reduction == "mean", "reduction is '", reduction, "', must be none, sum or mean");
  const ValueId weights = op.b.expand(places.weight, op.b.shape(places.loss));
  return op.b.binary(B::div, sum, op.b.reduce(R::sum, weights, axes, false));
}

void check_shapes(Op& op) {
  op.check(op.rank(0) >= 2 && op.rank(1) == op.rank(0) - 1, "input and target have the shapes ",
           op.shape(0), " and ", op.shape(1));
}

void import_nll(Op& op) {
  check_shapes(op);
  op.out(reduced(op, target_loss(op, op.in(0), op.in(1), op.in_or_absent(2))));
}

void import_cross_entropy(Op& op) {
  check_shapes(op);
  const ValueId log_probabilities = op.b.softmax(op.in(0), 1, fb::SoftmaxFunction::log_softmax);
  op.out(reduced(op, target_loss(op, log_probabilities, op.in(1), op.in_or_absent(2))));
  op.out(1, log_probabilities);
}

constexpr Adapter kAdapters[] = {
    {"NegativeLogLikelihoodLoss", {12, 13, 22}, import_nll},
    {"SoftmaxCrossEntropyLoss", {12, 13}, import_cross_entropy},
};

}  // namespace

std::span<const Adapter> loss_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
