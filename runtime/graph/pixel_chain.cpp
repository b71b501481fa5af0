#include "runtime/graph/pixel_chain.h"

#include <algorithm>

namespace skiff {
namespace {

/// Whether a value is a constant with a number, or one a channel of `x`.
bool is_channel_constant(const GraphValue& value, const Shape& x) {
  const Shape& shape = value.info.shape;
  const std::int64_t count = shape.elements();
  return value.buffer >= 0 && shape.rank() <= x.rank() &&
         (count == 1 || (count == x.back() && shape.back() == count));
}

/// The operand of a node that is a step; -1: it is none.
std::int32_t operand_of_step(const Graph& graph, const GraphNode& node) {
  if (node.def->op != fb::OpKind::binary || node.follows != 0) return -1;
  const auto& attrs = *static_cast<const fb::BinaryAttrs*>(node.attributes);
  if (!is_pixel_step(attrs.function()) || attrs.activation() != fb::UnaryFunction::none) return -1;
  const Shape& shape = graph.value(node.outputs[0]).info.shape;
  const bool symmetric =
      attrs.function() == fb::BinaryFunction::add || attrs.function() == fb::BinaryFunction::mul;
  for (const int operand : {1, 0}) {
    if (operand == 0 && !symmetric) break;
    const GraphValue& x = graph.value(node.inputs[at(1 - operand)]);
    if (same_shape(x, graph.value(node.outputs[0])) && x.buffer < 0 &&
        is_channel_constant(graph.value(node.inputs[at(operand)]), shape))
      return operand;
  }
  return -1;
}

bool is_cast_of_bytes(const Graph& graph, const GraphNode& node) {
  return node.def->op == fb::OpKind::cast && node.follows == 0 &&
         graph.value(node.inputs[0]).info.dtype == DType::uint8;
}

/// Goes back from a value to the cast; false where the way does not end in one.
bool walk(const Graph& graph, const Readers& readers, std::int32_t value, PixelChain& chain) {
  for (;;) {
    const std::int32_t producer = graph.value(value).producer;
    if (producer < 0 || readers.only(value) < 0) return false;
    const GraphNode& node = graph.nodes[at(producer)];
    chain.nodes[chain.steps()] = producer;
    if (is_cast_of_bytes(graph, node)) {
      chain.image = node.inputs[0];
      return true;
    }
    const std::int32_t operand = operand_of_step(graph, node);
    if (operand < 0 || chain.pixels.count == Pixels::kMaxSteps) return false;
    chain.operands[chain.steps()] = node.inputs[at(operand)];
    chain.pixels.steps[chain.steps()] =
        static_cast<const fb::BinaryAttrs*>(node.attributes)->function();
    ++chain.pixels.count;
    value = node.inputs[at(1 - operand)];
  }
}

}  // namespace

PixelChain find_pixels(const Graph& graph, const Readers& readers, const GraphNode& conv,
                       std::pmr::memory_resource& scratch) {
  if (conv.def->op != fb::OpKind::conv || conv.follows != 0) return {};
  const NodeView view = view_of(graph, conv, scratch);
  PixelChain chain;
  chain.pixels.to = view.input(0).dtype;
  if (!view.input(1).constant || !fits_pixel_conv(read_conv_geometry(view)) ||
      !walk(graph, readers, conv.inputs[0], chain))
    return {};
  std::reverse(chain.nodes.begin(), chain.nodes.begin() + 1 + chain.pixels.count);
  std::reverse(chain.operands.begin(), chain.operands.begin() + chain.pixels.count);
  std::reverse(chain.pixels.steps.begin(), chain.pixels.steps.begin() + chain.pixels.count);
  return chain;
}

}  // namespace skiff
