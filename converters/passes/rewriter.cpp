#include "converters/passes/rewriter.h"

#include <algorithm>
#include <cmath>

#include "converters/ir/evaluate.h"
#include "runtime/core/half.h"

namespace skiff::passes {
namespace {

std::vector<std::byte> encode(DType dtype, double number) {
  const auto bytes = [](auto stored) {
    return ir::bytes_of(std::span<const decltype(stored)>(&stored, 1));
  };
  switch (dtype) {
    case DType::float32:
      return bytes(static_cast<float>(number));
    case DType::float64:
      return bytes(number);
    case DType::float16:
      return bytes(float_to_half(static_cast<float>(number)));
    case DType::bfloat16:
      return bytes(float_to_bfloat16(static_cast<float>(number)));
    case DType::int32:
      return bytes(static_cast<std::int32_t>(number));
    case DType::int64:
      return bytes(static_cast<std::int64_t>(number));
    default:
      fail(ErrorCode::internal, "no scalar constants of dtype ", dtype);
  }
}

}  // namespace

ValueId operand(const ir::Node& node, std::size_t i) {
  return i < node.inputs.size() ? node.inputs[i] : kAbsent;
}

void Rewriter::refresh() {
  graph.sort();
  if (graph.remove_dead() > 0) graph.sort();
  readers_ = graph.users();
  known_values_ = graph.value_count();
}

bool Rewriter::single_use(ValueId id) const {
  return readers(id).size() == 1 && !graph.is_output(id);
}

const ir::Node* Rewriter::producer(ValueId id) const {
  if (id == kAbsent) return nullptr;
  const NodeId made_by = graph.value(id).producer;
  return made_by < 0 ? nullptr : &graph.node(made_by);
}

const ir::Node* Rewriter::producer(ValueId id, fb::OpKind op) const {
  const ir::Node* made_by = producer(id);
  return made_by != nullptr && made_by->op == op ? made_by : nullptr;
}

ValueId Rewriter::add(fb::OpKind op, ir::Attributes attributes, std::vector<ValueId> inputs,
                      const std::string& name) {
  const std::vector<NodeId> order = graph.order();
  const auto place = std::find(order.begin(), order.end(), at_) - order.begin();
  const NodeId id = graph.insert_node(static_cast<std::size_t>(place), op, std::move(attributes),
                                      std::move(inputs), name);
  graph.node(id).source = node().source;
  const ValueId output = graph.node(id).outputs[0];
  readers_.resize(graph.value_count());
  const std::vector<ValueId>& operands = graph.node(id).inputs;
  if (std::all_of(operands.begin(), operands.end(),
                  [this](ValueId operand) { return operand == kAbsent || is_constant(operand); }))
    ir::evaluate(graph, id);
  return output;
}

std::vector<ValueId> Rewriter::add_many(fb::OpKind op, ir::Attributes attributes,
                                        std::vector<ValueId> inputs, const std::string& name,
                                        std::size_t outputs) {
  if (outputs == 1) return {add(op, std::move(attributes), std::move(inputs), name)};
  const NodeId id = graph.add_node(op, std::move(attributes), std::move(inputs), name, outputs);
  graph.node(id).source = node().source;
  readers_.resize(graph.value_count());
  return graph.node(id).outputs;
}

void Rewriter::replace(ValueId from, ValueId to) {
  const bool was_output = graph.is_output(from);
  const bool is_new = static_cast<std::size_t>(to) >= known_values_;
  graph.replace_uses(from, to);
  // For an output of the graph replace_uses() has swapped the names already.
  if (!was_output && is_new) std::swap(graph.value(from).name, graph.value(to).name);
}

bool Rewriter::can_forward(ValueId from, ValueId to) const {
  if (!graph.is_output(from)) return true;
  return graph.value(to).producer >= 0 && !graph.is_output(to);
}

ValueId Rewriter::reshape(ValueId x, const Shape& to) {
  if (shape(x) == to) return x;
  fb::ShapeAttrsT attributes;
  attributes.shape = to_vector(to);
  return add(fb::OpKind::reshape, attributes, {x}, graph.value(x).name + "/reshape");
}

ValueId Rewriter::transpose(ValueId x, const std::vector<int>& perm) {
  if (std::is_sorted(perm.begin(), perm.end())) return x;
  fb::TransposeAttrsT attributes;
  attributes.perm.assign(perm.begin(), perm.end());
  return add(fb::OpKind::transpose, attributes, {x}, graph.value(x).name + "/transpose");
}

ValueId Rewriter::binary(fb::BinaryFunction function, ValueId a, ValueId b) {
  fb::BinaryAttrsT attributes;
  attributes.function = function;
  return add(fb::OpKind::binary, attributes, {a, b}, graph.value(a).name + "/binary");
}

ValueId Rewriter::unary(fb::UnaryFunction function, ValueId x, float alpha, float beta) {
  fb::UnaryAttrsT attributes;
  attributes.function = function;
  attributes.alpha = alpha;
  attributes.beta = beta;
  return add(fb::OpKind::unary, attributes, {x}, node().name);
}

ValueId Rewriter::scalar(DType dtype, double number) {
  const ValueId id = graph.add_constant(node().name + "/scalar", dtype, {}, encode(dtype, number));
  readers_.resize(graph.value_count());
  return id;
}

std::optional<double> uniform(const Graph& graph, ValueId id) {
  if (id == kAbsent) return std::nullopt;
  const ir::Value& value = graph.value(id);
  if (!value.constant || value.shape.elements() == 0) return std::nullopt;
  const std::size_t size = size_of(value.dtype);
  const auto& bytes = *value.constant;
  if (!std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(size), bytes.end(), bytes.begin()))
    return std::nullopt;
  ir::Value first{.name = value.name, .dtype = value.dtype, .shape = {}};
  first.constant.emplace(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  return ir::numbers(first)[0];
}

bool is_unary(const ir::Node* node, fb::UnaryFunction function) {
  return node != nullptr && node->op == fb::OpKind::unary &&
         attrs<fb::UnaryAttrs>(*node).function() == function;
}

bool is_binary(const ir::Node* node, fb::BinaryFunction function) {
  return node != nullptr && node->op == fb::OpKind::binary &&
         attrs<fb::BinaryAttrs>(*node).function() == function &&
         attrs<fb::BinaryAttrs>(*node).activation() == fb::UnaryFunction::none;
}

bool is_float(DType dtype) noexcept {
  return dtype == DType::float32 || dtype == DType::float64 || dtype == DType::float16 ||
         dtype == DType::bfloat16;
}

std::vector<std::int64_t> to_vector(const Shape& shape) { return {shape.begin(), shape.end()}; }

std::vector<std::int64_t> to_vector(const flatbuffers::Vector<std::int64_t>* field) {
  if (field == nullptr) return {};
  return {field->begin(), field->end()};
}

}  // namespace skiff::passes
