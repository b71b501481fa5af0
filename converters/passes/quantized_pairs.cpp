#include "converters/passes/quantized_pairs.h"

#include <utility>

#include "converters/passes/tensor_scale.h"

namespace skiff::passes {
namespace {

using fb::OpKind;

/// The least and the greatest number of an integer type; nothing for other types.
std::optional<std::pair<double, double>> range_of(fb::DType dtype) {
  switch (dtype) {
    case fb::DType::int8:
      return std::pair(-128.0, 127.0);
    case fb::DType::uint8:
      return std::pair(0.0, 255.0);
    case fb::DType::int16:
      return std::pair(-32768.0, 32767.0);
    case fb::DType::uint16:
      return std::pair(0.0, 65535.0);
    default:
      return std::nullopt;
  }
}

/// What node() quantizes is read as floats again, by the same scale, and by nobody else; at most
/// one of the readers gives an output of the graph.
bool is_read_back(const Rewriter& rewriter, const TensorScale& scale) {
  const ValueId integers = rewriter.node().outputs[0];
  int outputs = 0;
  for (const NodeId reader : rewriter.readers(integers)) {
    const ir::Node& node = rewriter.node(reader);
    if (node.op != OpKind::dequantize || node.inputs[0] != integers ||
        scale_of(rewriter, node, node.outputs[0]) != scale)
      return false;
    outputs += rewriter.graph.is_output(node.outputs[0]);
  }
  return !rewriter.graph.is_output(integers) && outputs <= 1;
}

bool to_rounding(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  if (node.op != OpKind::quantize) return false;
  const auto scale = scale_of(rewriter, node, node.inputs[0]);
  const auto range = range_of(attrs<fb::QuantizeAttrs>(node).to());
  if (!scale || !range || !is_read_back(rewriter, *scale)) return false;
  const ValueId step = rewriter.scalar(DType::float32, scale->scale);
  ValueId y = rewriter.binary(fb::BinaryFunction::div, node.inputs[0], step);
  y = rewriter.unary(fb::UnaryFunction::clip, y, static_cast<float>(range->first - scale->zero),
                     static_cast<float>(range->second - scale->zero));
  y = rewriter.binary(fb::BinaryFunction::mul, rewriter.unary(fb::UnaryFunction::round, y), step);
  const std::vector<NodeId> readers = rewriter.readers(node.outputs[0]);
  for (const NodeId reader : readers) rewriter.replace(rewriter.node(reader).outputs[0], y);
  return true;
}

}  // namespace

bool round_quantized_pairs(Graph& graph) { return Rewriter(graph).for_each(to_rounding); }

}  // namespace skiff::passes
