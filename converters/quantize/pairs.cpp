#include "converters/quantize/pairs.h"

#include <algorithm>
#include <utility>

#include "converters/passes/rewriter.h"
#include "converters/quantize/weights.h"

namespace skiff::quantize {
namespace {

using ir::ValueId;
using passes::Rewriter;

class Inserting {
 public:
  Inserting(ir::Graph& graph, std::span<const Product> products,
            const std::map<ValueId, ChannelMeans>& data)
      : graph_(graph), products_(products), data_(data) {}

  void run() {
    Rewriter(graph_).for_each([this](Rewriter& rewriter) {
      const auto product = std::ranges::find(products_, rewriter.at(), &Product::node);
      if (product == products_.end()) return false;
      const ir::Node node = rewriter.node();
      const ValueId rounded = on_grid(node.inputs[1], product->channel_axis);
      std::vector<ValueId> inputs = node.inputs;
      inputs[0] = pair(rewriter, node.inputs[0]);
      inputs[1] = rounded;
      if (const ValueId bias = corrected_bias(node, rounded); bias != ir::kAbsent) {
        inputs.resize(std::max<std::size_t>(inputs.size(), 3), ir::kAbsent);
        inputs[2] = bias;
      }
      graph_.node(rewriter.at()).inputs = std::move(inputs);
      return true;
    });
  }

 private:
  /// The value after its pair, which is added before its first reader.
  ValueId pair(Rewriter& rewriter, ValueId id) {
    const auto [place, added] = pairs_.try_emplace(id, ir::kAbsent);
    if (!added) return place->second;
    const Scale& scale = data_.at(id).scale();
    const std::string name = graph_.value(id).name;
    const ValueId step =
        graph_.add_constant(name + "/scale", {}, std::span<const float>(&scale.scale, 1));
    const ValueId zero =
        graph_.add_constant(name + "/zero", {}, std::span<const std::uint8_t>(&scale.zero, 1));
    fb::QuantizeAttrsT attrs;
    attrs.to = fb::DType::uint8;
    const ValueId stored =
        rewriter.add(fb::OpKind::quantize, attrs, {id, step, zero}, name + "/quantize");
    attrs.to = fb::DType::none;
    return place->second =
               rewriter.add(fb::OpKind::dequantize, attrs, {stored, step, zero}, name + "/real");
  }

  ValueId on_grid(ValueId id, int axis) {
    const auto [place, added] = grids_.try_emplace({id, axis}, ir::kAbsent);
    if (!added) return place->second;
    const ir::Value weights = graph_.value(id);
    return place->second = graph_.add_constant(weights.name, weights.dtype, weights.shape,
                                               round_weights(weights, axis));
  }

  ValueId corrected_bias(const ir::Node& node, ValueId rounded) {
    const ValueId bias = node.inputs.size() > 2 ? node.inputs[2] : ir::kAbsent;
    if (bias != ir::kAbsent && !graph_.value(bias).constant) return bias;
    const std::vector<double> excess =
        mean_excess(graph_, node, graph_.value(rounded), data_.at(node.inputs[0]));
    if (excess.empty()) return bias;
    std::vector<double> exact(excess.size());
    if (bias != ir::kAbsent) exact = ir::numbers(graph_.value(bias));
    std::vector<float> numbers;
    for (std::size_t i = 0; i < excess.size(); ++i)
      numbers.push_back(static_cast<float>(exact[i] - excess[i]));
    return graph_.add_constant(node.name + "/bias",
                               Shape{static_cast<std::int64_t>(numbers.size())},
                               std::span<const float>(numbers));
  }

  ir::Graph& graph_;
  std::span<const Product> products_;
  const std::map<ValueId, ChannelMeans>& data_;
  std::map<ValueId, ValueId> pairs_;
  std::map<std::pair<ValueId, int>, ValueId> grids_;
};

}  // namespace

void insert_pairs(ir::Graph& graph, std::span<const Product> products,
                  const std::map<ValueId, ChannelMeans>& data) {
  Inserting(graph, products, data).run();
}

}  // namespace skiff::quantize
