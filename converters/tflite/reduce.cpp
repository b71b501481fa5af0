#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {
namespace {

fb::ReduceFunction reduce_function(tflite::Builtin builtin) {
  using enum tflite::Builtin;
  switch (builtin) {
    case SUM:
      return fb::ReduceFunction::sum;
    case MEAN:
      return fb::ReduceFunction::mean;
    case REDUCE_PROD:
      return fb::ReduceFunction::product;
    case REDUCE_MAX:
      return fb::ReduceFunction::maximum;
    case REDUCE_MIN:
      return fb::ReduceFunction::minimum;
    case REDUCE_ANY:
      return fb::ReduceFunction::any;
    case REDUCE_ALL:
      return fb::ReduceFunction::all;
    default:
      fail(ErrorCode::internal, "no reduction");
  }
}

int last_axis(Operation& op) {
  op.check(op.shape(0).rank() > 0, "a scalar operand");
  return op.shape(0).rank() - 1;
}

}  // namespace

void import_reduce(Operation& op) {
  fb::ReduceAttrsT attrs;
  attrs.function = reduce_function(op.builtin());
  attrs.axes = op.axes(op.integers(1), op.shape(0).rank());
  attrs.keep_dims = op.options<tflite::Reducer>().keep_dims();
  op.output(op.add(fb::OpKind::reduce, attrs, {op.in(0)}));
}

void import_arg_reduce(Operation& op) {
  fb::ArgReduceAttrsT attrs;
  attrs.function = op.builtin() == tflite::Builtin::ARG_MAX ? fb::ArgFunction::maximum
                                                            : fb::ArgFunction::minimum;
  attrs.axis = op.axis(op.integer(1), op.shape(0).rank());
  attrs.keep_dims = false;
  attrs.index_type = static_cast<fb::DType>(op.output_dtype(0));
  op.output(op.add(fb::OpKind::arg_reduce, attrs, {op.in(0)}));
}

void import_softmax(Operation& op) {
  fb::SoftmaxAttrsT attrs;
  attrs.axis = last_axis(op);
  attrs.scale = op.options<tflite::Softmax>().beta();
  op.output(op.add(fb::OpKind::softmax, attrs, {op.in(0)}));
}

void import_log_softmax(Operation& op) {
  fb::SoftmaxAttrsT attrs;
  attrs.function = fb::SoftmaxFunction::log_softmax;
  attrs.axis = last_axis(op);
  op.output(op.add(fb::OpKind::softmax, attrs, {op.in(0)}));
}

void import_cumsum(Operation& op) {
  const auto& options = op.options<tflite::Cumsum>();
  fb::CumulativeAttrsT attrs;
  attrs.axis = op.axis(op.integer(1), op.shape(0).rank());
  attrs.exclusive = options.exclusive();
  attrs.reverse = options.reverse();
  op.output(op.add(fb::OpKind::cumulative, attrs, {op.in(0)}));
}

/// x / max(|x|, 1e-6) along the last axis.
void import_l2_normalization(Operation& op) {
  fb::LpNormAttrsT attrs;
  attrs.axis = last_axis(op);
  attrs.epsilon = 1e-6F;
  op.output(op.add(fb::OpKind::lp_norm, attrs, {op.in(0)}));
}

/// The format's alpha weighs the sum of squares over the window, Skiff's (as ONNX's) their mean.
void import_local_response_normalization(Operation& op) {
  const auto& options = op.options<tflite::LocalResponseNormalization>();
  op.check(options.radius() >= 0 && options.radius() < (1 << 24), "a radius of ", options.radius());
  fb::LrnAttrsT attrs;
  attrs.size = 2 * std::int64_t{options.radius()} + 1;
  attrs.alpha = options.alpha() * static_cast<float>(attrs.size);
  attrs.beta = options.beta();
  attrs.bias = options.bias();
  op.output(op.add(fb::OpKind::lrn, attrs, {op.in(0)}));
}

}  // namespace skiff::convert::tfl
