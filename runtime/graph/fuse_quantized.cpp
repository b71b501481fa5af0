#include "runtime/graph/fuse_quantized.h"

#include <algorithm>
#include <new>

#include "runtime/graph/rewrite.h"
#include "runtime/ops/integer_conv.h"

namespace skiff {
namespace {

/// An elementwise node or chain, with the nodes that convert for it alone; -1: there is none.
struct Group {
  std::int32_t elementwise = -1, quantize = -1;
  std::int32_t dequantize[PointwiseChain::kMaxInputs] = {};
  PointwiseChain chain{};  ///< of the elementwise ones

  std::int32_t last() const { return quantize >= 0 ? quantize : elementwise; }
};

class Finder {
 public:
  Finder(const Graph& graph, Chains which, std::pmr::memory_resource& scratch)
      : graph_(graph),
        which_(which),
        scratch_(scratch),
        groups_(&scratch),
        group_of_(graph.nodes.size(), -1, &scratch),
        readers_(graph, scratch) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) look_at(static_cast<std::int32_t>(n));
  }

  bool any() const { return !groups_.empty(); }
  const Group* group_of(std::int32_t n) const {
    const std::int32_t group = group_of_[at(n)];
    return group >= 0 ? &groups_[at(group)] : nullptr;
  }

 private:
  void look_at(std::int32_t n) {
    const GraphNode& node = graph_.nodes[at(n)];
    const GraphValue& result = graph_.value(node.outputs[0]);
    Group group{.elementwise = n, .quantize = -1};
    if (result.info.dtype != DType::float32 || !read_chain(node, group.chain)) return;
    group.quantize = quantizer_of(n);
    bool any = group.quantize >= 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      group.dequantize[i] = dequantizer_of(node.inputs[i], result);
      any |= group.dequantize[i] >= 0;
    }
    if (any) keep(group, node.inputs.size());
  }

  /// False where the node is none and cannot be one of those that are made.
  bool read_chain(const GraphNode& node, PointwiseChain& chain) const {
    if (node.def == &pointwise_chain_op()) {
      chain = *static_cast<const PointwiseChain*>(node.attributes);
    } else {
      if (!read_chain_step(graph_, node, chain.steps[0], scratch_)) return false;
      chain.count = 1;
      chain.inputs = static_cast<std::int32_t>(node.inputs.size());
      chain.steps[0].b = chain.inputs - 1;
    }
    return which_ == Chains::all || chain_has_long_rows(view_of(graph_, node, scratch_).inputs,
                                                        graph_.value(node.outputs[0]).info.shape);
  }

  /// Whether a node of that kind converts whole tensors between bytes and float32.
  bool converts(const GraphNode& node, fb::OpKind kind) const {
    if (node.follows != 0 || node.def->op != kind) return false;
    const bool reads = kind == fb::OpKind::dequantize;
    const TensorInfo& bytes = graph_.value(reads ? node.inputs[0] : node.outputs[0]).info;
    const TensorInfo& floats = graph_.value(reads ? node.outputs[0] : node.inputs[0]).info;
    const TensorInfo& scale = graph_.value(node.inputs[1]).info;
    return is_byte(bytes.dtype) && floats.dtype == DType::float32 &&
           scale.dtype == DType::float32 && scale.shape.elements() == 1;
  }

  std::int32_t dequantizer_of(std::int32_t operand, const GraphValue& result) const {
    const GraphValue& value = graph_.value(operand);
    if (value.producer < 0 || readers_.only(operand) < 0 || !same_shape(value, result)) return -1;
    return converts(graph_.nodes[at(value.producer)], fb::OpKind::dequantize) ? value.producer : -1;
  }

  /// The next node, as operands would live longer for another one.
  std::int32_t quantizer_of(std::int32_t n) const {
    const std::int32_t result = graph_.nodes[at(n)].outputs[0], next = n + 1;
    if (readers_.only(result) != next) return -1;
    const GraphNode& reader = graph_.nodes[at(next)];
    return reader.inputs[0] == result && converts(reader, fb::OpKind::quantize) ? next : -1;
  }

  void keep(const Group& group, std::size_t operands) {
    const auto number = static_cast<std::int32_t>(groups_.size());
    groups_.push_back(group);
    group_of_[at(group.elementwise)] = group_of_[at(group.last())] = number;
    for (std::size_t i = 0; i < operands; ++i)
      if (group.dequantize[i] >= 0) group_of_[at(group.dequantize[i])] = number;
  }

  const Graph& graph_;
  Chains which_;
  std::pmr::memory_resource& scratch_;
  std::pmr::vector<Group> groups_;
  std::pmr::vector<std::int32_t> group_of_;
  Readers readers_;
};

struct Made {
  PointwiseChain chain;
  std::int32_t inputs[PointwiseChain::kMostInputs];
};

/// The node for a group; what it points to lives in `memory`.
GraphNode make_node(const Graph& graph, const Group& group, std::pmr::memory_resource& memory) {
  const GraphNode& elementwise = graph.nodes[at(group.elementwise)];
  Made& made = *new (memory.allocate(sizeof(Made), alignof(Made))) Made{group.chain, {}};
  PointwiseChain& code = made.chain;
  std::int32_t* const inputs = made.inputs;
  std::int32_t* end = std::copy(elementwise.inputs.begin(), elementwise.inputs.end(), inputs);
  const auto add_scale = [&](const GraphNode& node) {
    PointwiseChain::Scale scale{.scale = static_cast<std::int32_t>(end - inputs), .zero = 0};
    *end++ = node.inputs[1];
    if (node.inputs.size() < 3 || node.inputs[2] < 0) return scale;
    scale.zero = static_cast<std::int32_t>(end - inputs);
    *end++ = node.inputs[2];
    return scale;
  };
  for (std::size_t i = 0; i < elementwise.inputs.size(); ++i) {
    if (group.dequantize[i] < 0) continue;
    const GraphNode& node = graph.nodes[at(group.dequantize[i])];
    inputs[i] = node.inputs[0];
    code.stored[i] = add_scale(node);
  }
  GraphNode node = graph.nodes[at(group.last())];
  if (group.quantize >= 0) {
    code.result = add_scale(node);
    code.result_dtype = graph.value(node.outputs[0]).info.dtype;
  }
  node.def = &pointwise_chain_op();
  node.attributes = &code;
  node.inputs = {inputs, end};
  return node;
}

}  // namespace

void fuse_quantized(const Graph& graph, std::optional<Graph>& own, Chains which,
                    std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  const auto make = [&](const Graph& from, const Finder&, const Group& group) {
    return make_node(from, group, memory);
  };
  rewrite<Finder>(graph, own, memory, make, which, scratch);
}

}  // namespace skiff
