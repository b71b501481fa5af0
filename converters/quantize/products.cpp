#include "converters/quantize/products.h"

#include <algorithm>
#include <cmath>

namespace skiff::quantize {
namespace {

using fb::OpKind;
using ir::Graph;
using ir::Node;
using ir::ValueId;

bool multiplies(OpKind op) {
  return op == OpKind::conv || op == OpKind::conv_transpose || op == OpKind::matmul ||
         op == OpKind::attention || op == OpKind::rnn;
}

bool is_dequantized(const Graph& graph, ValueId id) {
  const ir::NodeId producer = graph.value(id).producer;
  return producer >= 0 && graph.node(producer).op == OpKind::dequantize;
}

/// Why the node stays in floats; empty: it need not.
std::string obstacle(const Graph& graph, const Node& node) {
  if (node.op == OpKind::conv_transpose) return "transposed convolutions stay in floats";
  if (node.op == OpKind::attention) return "attention stays in floats";
  if (node.op == OpKind::rnn) return "recurrent layers stay in floats";
  const ir::Value &data = graph.value(node.inputs[0]), &weights = graph.value(node.inputs[1]);
  if (!weights.constant) return "its weights are computed";
  if (data.constant) return "its data are constant";
  if (data.dtype != DType::float32 || weights.dtype != DType::float32)
    return message("it multiplies ", data.dtype, " by ", weights.dtype);
  if (node.op == OpKind::matmul && weights.shape.rank() != 2)
    return message("its weights are no matrix but ", weights.shape);
  if (!std::ranges::all_of(ir::numbers(weights), [](double x) { return std::isfinite(x); }))
    return message("its weights '", weights.name, "' hold a NaN or an infinity");
  return {};
}

int channel_axis(const Node& node) {
  return node.op == OpKind::matmul && !node.attrs.get<fb::MatMulAttrs>().transpose_b() ? 1 : 0;
}

void keep_nested(const Graph& body, std::vector<Kept>& kept) {
  for (const ir::NodeId id : body.order()) {
    const Node& node = body.node(id);
    if (multiplies(node.op))
      kept.push_back({node.name, name_of(node.op), "nested graphs stay in floats"});
    for (const Graph& inner : node.bodies) keep_nested(inner, kept);
  }
}

}  // namespace

Choice choose_products(const Graph& graph) {
  Choice choice;
  for (const ir::NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    for (const Graph& body : node.bodies) keep_nested(body, choice.kept);
    if (!multiplies(node.op)) continue;
    const bool joins = node.op == OpKind::conv || node.op == OpKind::matmul;
    if (joins && is_dequantized(graph, node.inputs[0])) {
      ++choice.others;
      continue;
    }
    if (std::string why = obstacle(graph, node); !why.empty())
      choice.kept.push_back({node.name, name_of(node.op), std::move(why)});
    else
      choice.products.push_back({id, channel_axis(node)});
  }
  return choice;
}

}  // namespace skiff::quantize
