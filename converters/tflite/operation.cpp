#include "converters/tflite/operation.h"

#include <algorithm>

#include "converters/ir/counts.h"
#include "converters/ir/evaluate.h"
#include "converters/ir/work.h"
#include "converters/tflite/importer.h"
#include "converters/tflite/tensors.h"
#include "runtime/core/checked.h"

namespace skiff::convert::tfl {

Operation::Operation(Importer& importer, const tflite::Operator& source)
    : importer_(importer), source_(source), first_value_(importer.graph().value_count()) {
  name_ = output_count() > 0 ? importer.model().tensor_name(source.outputs()->Get(0))
                             : importer.model().operator_name(source);
}

ir::Graph& Operation::graph() noexcept { return importer_.graph(); }

tflite::Builtin Operation::builtin() const noexcept { return importer_.model().builtin(source_); }

int Operation::tensor_of_input(int i) const {
  check(has(i), "operand ", i, " is missing");
  return source_.inputs()->Get(static_cast<flatbuffers::uoffset_t>(i));
}

int Operation::tensor_of_output(int i) const {
  check(i < output_count(), "output ", i, " is missing");
  return source_.outputs()->Get(static_cast<flatbuffers::uoffset_t>(i));
}

bool Operation::has(int i) const noexcept {
  return i < input_count() && source_.inputs()->Get(static_cast<flatbuffers::uoffset_t>(i)) >= 0;
}

ir::ValueId Operation::in(int i) { return importer_.value(tensor_of_input(i)); }

Shape Operation::exported(int i) {
  if (!importer_.resized()) return shape(i);
  const Shape declared = declared_shape(importer_.model().tensor(tensor_of_input(i)));
  return declared.rank() == shape(i).rank() ? declared : shape(i);
}

Slot Operation::slot(int i) { return importer_.slot(tensor_of_input(i)); }

void Operation::output(const Slot& slot, int i) {
  if (slot.variable < 0)
    output(slot.value, i);
  else
    importer_.set_slot(tensor_of_output(i), slot);
}

void Operation::note_guess() noexcept { importer_.note_guess(); }

std::vector<std::int64_t> Operation::integers(int i) {
  return importer_.integers(tensor_of_input(i));
}

std::vector<double> Operation::numbers(int i) { return importer_.numbers(tensor_of_input(i)); }

std::int64_t Operation::integer(int i) {
  const std::vector<std::int64_t> list = integers(i);
  check(list.size() == 1, "operand ", i, " has ", list.size(), " numbers, must have one");
  return list.front();
}

DType Operation::output_dtype(int i) const {
  return dtype_of(importer_.model().tensor(tensor_of_output(i)).type());
}

std::string Operation::fresh_name() {
  return made_++ == 0 ? name_ : message(name_, "/", made_ - 1);
}

ir::NodeId Operation::add_node(fb::OpKind op, ir::Attributes attrs, std::vector<ir::ValueId> inputs,
                               std::size_t outputs, std::vector<ir::Graph> bodies) {
  const ir::NodeId id = graph().add_node(op, std::move(attrs), std::move(inputs), fresh_name(),
                                         outputs, {}, std::move(bodies));
  graph().node(id).source = described();
  fold(id);
  if (ir::is_counting(graph().node(id)) && !graph().node(id).removed) ir::assume_count(graph(), id);
  return id;
}

ir::ValueId Operation::add(fb::OpKind op, ir::Attributes attrs, std::vector<ir::ValueId> inputs) {
  return graph().node(add_node(op, std::move(attrs), std::move(inputs), 1)).outputs[0];
}

/// What decides shapes is often computed from constants, so constants are computed at once.
void Operation::fold(ir::NodeId id) {
  const ir::Node& node = graph().node(id);
  const bool constant = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ir::ValueId input) {
    return input == ir::kAbsent || graph().value(input).constant.has_value();
  });
  if (!constant || !ir::worth_folding(graph(), id) ||
      !importer_.take_work(ir::work_of(graph(), id)))
    return;
  for (ir::ValueId output : node.outputs)
    charge(*checked_bytes(graph().value(output).dtype, shape_of(output)));
  ir::evaluate(graph(), id);
}

ir::ValueId Operation::unary(fb::UnaryFunction function, ir::ValueId x, float alpha, float beta) {
  fb::UnaryAttrsT attrs;
  attrs.function = function;
  attrs.alpha = alpha;
  attrs.beta = beta;
  return add(fb::OpKind::unary, attrs, {x});
}

ir::ValueId Operation::binary(fb::BinaryFunction function, ir::ValueId a, ir::ValueId b) {
  fb::BinaryAttrsT attrs;
  attrs.function = function;
  return add(fb::OpKind::binary, attrs, {a, b});
}

ir::ValueId Operation::reshape(ir::ValueId x, const Shape& to) {
  if (shape_of(x) == to) return x;
  fb::ShapeAttrsT attrs;
  attrs.shape.assign(to.begin(), to.end());
  return add(fb::OpKind::reshape, attrs, {x});
}

ir::ValueId Operation::transpose(ir::ValueId x, std::vector<std::int64_t> perm) {
  fb::TransposeAttrsT attrs;
  attrs.perm = std::move(perm);
  return add(fb::OpKind::transpose, attrs, {x});
}

ir::ValueId Operation::cast(ir::ValueId x, DType to) {
  if (graph().value(x).dtype == to) return x;
  fb::CastAttrsT attrs;
  attrs.to = static_cast<fb::DType>(to);
  return add(fb::OpKind::cast, attrs, {x});
}

ir::ValueId Operation::slice(ir::ValueId x, std::vector<std::int64_t> starts,
                             std::vector<std::int64_t> sizes, std::vector<std::int64_t> steps) {
  fb::SliceAttrsT attrs;
  attrs.steps = steps.empty() ? std::vector<std::int64_t>(starts.size(), 1) : std::move(steps);
  attrs.starts = std::move(starts);
  attrs.sizes = std::move(sizes);
  return add(fb::OpKind::slice, attrs, {x});
}

void Operation::output(ir::ValueId id, int i) {
  const int tensor = tensor_of_output(i);
  ir::Value& value = graph().value(id);
  if (value.dtype != output_dtype(i))
    refuse("gives ", value.dtype, " where the file declares ",
           type_name(importer_.model().tensor(tensor)));
  const bool own = static_cast<std::size_t>(id) >= first_value_;
  if (own && std::find(handed_.begin(), handed_.end(), id) == handed_.end()) {
    value.name = importer_.model().tensor_name(tensor);
    if (i == 0 && value.producer >= 0) graph().node(value.producer).name = value.name;
  }
  handed_.push_back(id);
  importer_.set(tensor, id);
}

void Operation::output(ir::ValueId id, tflite::Activation activation) {
  const FusedActivation fused = fused_activation(activation);
  if (fused.function != fb::UnaryFunction::none)
    id = unary(fused.function, id, fused.alpha, fused.beta);
  output(id);
}

int Operation::axis(std::int64_t given, int rank) const {
  check(given >= -rank && given < rank, "axis ", given, " of ", rank);
  return static_cast<int>(given < 0 ? given + rank : given);
}

std::vector<std::int64_t> Operation::axes(const std::vector<std::int64_t>& given, int rank) const {
  std::vector<std::int64_t> result;
  for (std::int64_t entry : given) result.push_back(axis(entry, rank));
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::string Operation::described() const {
  return message(importer_.model().operator_name(source_), " '", name_, "' (TFLite)");
}

void Operation::charge(std::int64_t bytes) { importer_.charge(bytes); }

FusedActivation fused_activation(tflite::Activation activation) {
  switch (activation) {
    case tflite::Activation::none:
      return {};
    case tflite::Activation::relu:
      return {fb::UnaryFunction::relu};
    case tflite::Activation::relu_n1_to_1:
      return {fb::UnaryFunction::clip, -1, 1};
    case tflite::Activation::relu6:
      return {fb::UnaryFunction::clip, 0, 6};
    case tflite::Activation::tanh:
      return {fb::UnaryFunction::tanh};
    default:
      fail(ErrorCode::unsupported, "fused activation ", static_cast<int>(activation),
           " is not supported");
  }
}

}  // namespace skiff::convert::tfl
