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
            const std::map<ValueId, Scale>& scales)
      : graph_(graph), products_(products), scales_(scales) {}

  void run() {
    Rewriter(graph_).for_each([this](Rewriter& rewriter) {
      const auto product = std::ranges::find(products_, rewriter.at(), &Product::node);
      if (product == products_.end()) return false;
      const ValueId data = rewriter.node().inputs[0], weights = rewriter.node().inputs[1];
      const ValueId taken = pair(rewriter, data), rounded = on_grid(weights, product->channel_axis);
      graph_.node(product->node).inputs[0] = taken;
      graph_.node(product->node).inputs[1] = rounded;
      return true;
    });
  }

 private:
  /// The value after its pair, which is added before its first reader.
  ValueId pair(Rewriter& rewriter, ValueId id) {
    const auto [place, added] = pairs_.try_emplace(id, ir::kAbsent);
    if (!added) return place->second;
    const Scale& scale = scales_.at(id);
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

  ir::Graph& graph_;
  std::span<const Product> products_;
  const std::map<ValueId, Scale>& scales_;
  std::map<ValueId, ValueId> pairs_;
  std::map<std::pair<ValueId, int>, ValueId> grids_;
};

}  // namespace

void insert_pairs(ir::Graph& graph, std::span<const Product> products,
                  const std::map<ValueId, Scale>& scales) {
  Inserting(graph, products, scales).run();
}

}  // namespace skiff::quantize
