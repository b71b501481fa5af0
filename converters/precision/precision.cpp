#include "converters/precision/precision.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "converters/dynamic/dynamic.h"
#include "converters/precision/round.h"
#include "runtime/core/error.h"

namespace skiff::precision {
namespace {

using ir::NodeId;
using ir::ValueId;

/// What other inputs may exceed the measured ones by.
constexpr double kMargin = 4;

/// Operand 1 of products: its type is its own, the kernels take it as it is stored.
bool is_weight(const ir::Node& node, std::size_t input) {
  using enum fb::OpKind;
  return input == 1 && (node.op == conv || node.op == conv_transpose || node.op == matmul);
}

/// What is only added to sums: numbers that vanish in 16 bits vanish beside those.
bool is_bias(const ir::Node& node, std::size_t input) {
  using enum fb::OpKind;
  return input == 2 && (node.op == conv || node.op == conv_transpose || node.op == matmul ||
                        node.op == layer_norm || node.op == group_norm);
}

class Storing {
 public:
  Storing(ir::Graph& graph, DType type, std::span<const fb::FingerprintT> measured, bool half_sums)
      : graph_(graph),
        fixed_(dynamic::at_usual_sizes(graph)),
        type_(type),
        largest_(graph.value_count(), 0.0) {
    outcome_.half_sums = half_sums;
    for (const fb::FingerprintT& print : measured)
      largest_[static_cast<std::size_t>(print.value)] = print.max_abs;
  }

  Outcome run() {
    outcome_.type = type_;
    for (NodeId id : graph_.order()) decide(id);
    for (NodeId id : graph_.order()) rewrite(id);
    graph_.reorder(std::move(order_));
    return std::move(outcome_);
  }

 private:
  bool is_float(ValueId id) const {
    return id != ir::kAbsent && fixed_.value(id).dtype == DType::float32;
  }
  bool is_constant(ValueId id) const { return fixed_.value(id).constant.has_value(); }

  /// Whether the node computes in float32 or on 16-bit operands.
  void decide(NodeId id) {
    const ir::Node& node = graph_.node(id);
    const auto real = [this](ValueId value) { return is_float(value); };
    if (std::ranges::none_of(node.inputs, real) && std::ranges::none_of(node.outputs, real)) return;
    ++outcome_.nodes;
    std::vector<DType> results;
    std::string why = obstacle(id);
    if (why.empty()) why = ask_rule(id, results);
    if (!why.empty()) {
      outcome_.kept.push_back({node.name, name_of(node.op), std::move(why)});
      return;
    }
    narrow_.emplace(id, std::move(results));
  }

  /// Why the node stays in float32 whatever its operator takes; empty: it need not.
  std::string obstacle(NodeId id) {
    const ir::Node& node = graph_.node(id);
    using enum fb::OpKind;
    if (node.op == quantize || node.op == dequantize) return "scales stay in float32";
    if (!node.bodies.empty()) return "its nested graphs compute in float32";
    if (node.op == read_variable || node.op == assign_variable) return "variables stay in float32";
    if (node.op == cast && !is_float(node.inputs[0]) &&
        size_of(fixed_.value(node.inputs[0]).dtype) > 1)
      return "integers need the precision";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = node.inputs[i];
      if (!is_float(input)) continue;
      if (is_constant(input)) {
        const Rounded& as_stored = rounded(input);
        const bool harmless = is_bias(node, i) && as_stored.finite;
        if (!as_stored.loss.empty() && !harmless) return as_stored.loss;
      } else if (std::string why = too_large(input); !why.empty()) {
        return why;
      }
    }
    for (ValueId output : node.outputs)
      if (is_float(output))
        if (std::string why = too_large(output); !why.empty()) return why;
    return {};
  }

  std::string too_large(ValueId id) const {
    const double reached = largest_[static_cast<std::size_t>(id)];
    if (!(reached > largest_of(type_) / kMargin) || std::isinf(reached)) return {};
    return message("'", fixed_.value(id).name, "' reaches ", reached, ", ", type_, " ends at ",
                   largest_of(type_));
  }

  /// The types of the results when every float operand is narrow; else why that cannot be.
  std::string ask_rule(NodeId id, std::vector<DType>& results) {
    const ir::Node& node = graph_.node(id);
    if (node.op == fb::OpKind::cast && is_float(node.outputs[0])) {
      results = {type_};
      return {};
    }
    ir::Graph::ViewStorage storage;
    const NodeView view = fixed_.view(id, storage);
    for (TensorInfo& info : storage.infos)
      if (info.dtype == DType::float32) info.dtype = type_;
    std::vector<TensorInfo> inferred(node.outputs.size());
    try {
      infer_outputs(view, node.attrs.type(), inferred);
    } catch (const Error&) {
      return message("the operator takes no ", type_);
    }
    for (const TensorInfo& info : inferred) results.push_back(info.dtype);
    return {};
  }

  void rewrite(NodeId id) {
    const auto found = narrow_.find(id);
    const bool narrow = found != narrow_.end();
    const std::vector<ValueId> inputs = graph_.node(id).inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!is_float(inputs[i])) continue;
      const bool narrow_here = narrow || (is_constant(inputs[i]) && is_weight(graph_.node(id), i) &&
                                          rounded(inputs[i]).loss.empty());
      const ValueId taken = as(inputs[i], narrow_here ? type_ : DType::float32, graph_.node(id));
      graph_.node(id).inputs[i] = taken;
    }
    order_.push_back(id);
    if (!narrow) return;
    if (graph_.node(id).op == fb::OpKind::cast) retarget(graph_.node(id));
    if (outcome_.half_sums) allow_half_sums(graph_.node(id));
    for (std::size_t o = 0; o < graph_.node(id).outputs.size(); ++o) {
      const ValueId output = graph_.node(id).outputs[o];
      if (found->second[o] != type_) continue;
      graph_.value(output).dtype = type_;
      if (graph_.is_output(output)) move_output(id, o);
    }
  }

  void allow_half_sums(ir::Node& node) {
    const auto allow = [&](auto attrs) {
      attrs.sums = fb::DType::float16;
      node.attrs = attrs;
      ++outcome_.half_summed;
    };
    if (node.op != fb::OpKind::conv && node.op != fb::OpKind::matmul) return;
    if (!graph_.value(node.inputs[1]).constant) return;
    if (node.op == fb::OpKind::conv)
      allow(node.attrs.unpack<fb::ConvAttrs>());
    else
      allow(node.attrs.unpack<fb::MatMulAttrs>());
  }

  void retarget(ir::Node& node) {
    auto attrs = node.attrs.unpack<fb::CastAttrs>();
    if (attrs.to == fb::DType::float32) attrs.to = static_cast<fb::DType>(type_);
    node.attrs = attrs;
  }

  /// The value in that type: itself, a constant of its own, or what a cast gives.
  ValueId as(ValueId id, DType type, const ir::Node& reader) {
    const auto moved = moved_.find(id);
    if (moved != moved_.end() && type == type_) return moved->second;
    const bool external = moved != moved_.end();
    if ((external ? DType::float32 : graph_.value(id).dtype) == type) return id;
    const auto [place, added] = others_.try_emplace({id, type}, ir::kAbsent);
    if (!added) return place->second;
    if (is_constant(id))
      return place->second =
                 graph_.add_constant(std::string(graph_.value(id).name), type,
                                     fixed_.value(id).shape, std::move(rounded(id).bytes));
    return place->second = add_cast(id, type, reader.source);
  }

  /// `source` by value: the node it is taken from moves when the cast is added.
  ValueId add_cast(ValueId from, DType type, std::string source) {
    fb::CastAttrsT attrs;
    attrs.to = static_cast<fb::DType>(type);
    const NodeId id = graph_.add_node(fb::OpKind::cast, attrs, {from},
                                      graph_.value(from).name + "/" + name_of(type));
    graph_.node(id).source = std::move(source);
    const ValueId to = graph_.node(id).outputs[0];
    graph_.value(to).dims = graph_.value(from).dims;
    order_.push_back(id);
    ++outcome_.casts;
    return to;
  }

  /// An output of the graph stays float32: the node writes another value, which is cast.
  void move_output(NodeId id, std::size_t o) {
    const ValueId external = graph_.node(id).outputs[o];
    const ValueId inner = add_cast(external, DType::float32, graph_.node(id).source);
    const NodeId cast = graph_.value(inner).producer;
    graph_.node(id).outputs[o] = inner;
    graph_.node(cast).inputs[0] = inner;
    graph_.node(cast).outputs[0] = external;
    std::swap(graph_.value(inner).producer, graph_.value(external).producer);
    std::swap(graph_.value(inner).dtype, graph_.value(external).dtype);
    moved_.emplace(external, inner);
  }

  Rounded& rounded(ValueId id) {
    const auto [place, added] = rounded_.try_emplace(id);
    if (added) place->second = round_constant(graph_.value(id), type_);
    return place->second;
  }

  ir::Graph& graph_;
  const ir::Graph fixed_;  // as it was, at one choice of the symbols
  DType type_;
  std::vector<double> largest_;                  // measured, by value
  std::map<NodeId, std::vector<DType>> narrow_;  // on 16-bit operands: types of the results
  std::map<ValueId, Rounded> rounded_;
  std::map<std::pair<ValueId, DType>, ValueId> others_;
  std::map<ValueId, ValueId> moved_;  // an output of the graph: what its node writes
  std::vector<NodeId> order_;
  Outcome outcome_;
};

}  // namespace

float tolerance_of(DType type) noexcept {
  return type == DType::float16 ? 5e-3f : type == DType::bfloat16 ? 5e-2f : 0.0f;
}

Outcome store_as(ir::Graph& graph, DType type, std::span<const fb::FingerprintT> measured,
                 bool half_sums) {
  return Storing(graph, type, measured, half_sums).run();
}

}  // namespace skiff::precision
