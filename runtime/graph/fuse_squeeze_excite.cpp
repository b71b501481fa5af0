#include "runtime/graph/fuse_squeeze_excite.h"

#include <algorithm>
#include <array>

#include "runtime/graph/rewrite.h"
#include "runtime/ops/conv.h"
#include "runtime/ops/squeeze_excite.h"

namespace skiff {
namespace {

using Net = SqueezeExcite;

/// Nodes by their indices, in the order of their parts; -1: none adds.
struct Found {
  std::array<std::int32_t, Net::kMaxParts> nodes;
  std::int32_t image = -1, addend = -1;  ///< values
  std::int32_t last() const noexcept { return std::max(nodes[Net::scale], nodes[Net::add]); }
};

/// Finds the nodes that can be one, looking back from each product.
class Finder {
 public:
  Finder(const Graph& graph, std::pmr::memory_resource& scratch)
      : graph_(graph),
        scratch_(scratch),
        readers_(graph, scratch),
        found_(&scratch),
        of_node_(graph.nodes.size(), -1, &scratch) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) look_at(static_cast<std::int32_t>(n));
  }

  bool any() const { return !found_.empty(); }
  /// What a node is part of; null: nothing.
  const Found* group_of(std::int32_t n) const {
    return of_node_[at(n)] < 0 ? nullptr : &found_[at(of_node_[at(n)])];
  }

 private:
  const GraphNode& node(std::int32_t n) const { return graph_.nodes[at(n)]; }
  const fb::BinaryAttrs& binary(std::int32_t n) const {
    return *static_cast<const fb::BinaryAttrs*>(node(n).attributes);
  }
  /// `follows`: sizes that a run finds out.
  bool is(std::int32_t n, fb::OpKind op) const {
    return n >= 0 && node(n).def->op == op && node(n).follows == 0 && of_node_[at(n)] < 0;
  }
  bool is_binary(std::int32_t n, fb::BinaryFunction function) const {
    return is(n, fb::OpKind::binary) && binary(n).function() == function;
  }
  /// The node that computes a value for one reader alone; -1: there is none.
  std::int32_t computed_by(std::int32_t id) const {
    return readers_.only(id) >= 0 ? graph_.value(id).producer : -1;
  }

  void look_at(std::int32_t scale) {
    if (!is_binary(scale, fb::BinaryFunction::mul)) return;
    for (std::size_t side : {0u, 1u}) {
      const auto& operands = node(scale).inputs;
      Found found{{-1, -1, -1, scale, -1}, operands[side], -1};
      if (!find_gate(found, operands[1 - side])) continue;
      find_sum(found);
      for (std::int32_t n : found.nodes)
        if (n >= 0) of_node_[at(n)] = static_cast<std::int32_t>(found_.size());
      found_.push_back(found);
      return;
    }
  }

  bool find_gate(Found& found, std::int32_t gate) const {
    const std::int32_t expand = found.nodes[Net::expand] = computed_by(gate);
    if (!is_of_one_pixel(expand)) return false;
    const std::int32_t reduce = found.nodes[Net::reduce] = computed_by(node(expand).inputs[0]);
    if (!is_of_one_pixel(reduce)) return false;
    const std::int32_t mean = found.nodes[Net::mean] = computed_by(node(reduce).inputs[0]);
    const GraphValue& image = graph_.value(found.image);
    const std::int64_t hidden = graph_.value(node(reduce).inputs[1]).info.shape[0];
    return is_mean_of_pixels(mean, found.image) &&
           same_shape(image, graph_.value(node(found.nodes[Net::scale]).outputs[0])) &&
           fits_squeeze_excite(image.info, hidden);
  }

  /// A convolution that is a product of one vector an image with constant weights.
  bool is_of_one_pixel(std::int32_t n) const {
    if (!is(n, fb::OpKind::conv)) return false;
    const auto& inputs = node(n).inputs;
    if (graph_.value(inputs[1]).buffer < 0 || (inputs.size() > 3 && inputs[3] >= 0)) return false;
    const ConvGeometry g = read_conv_geometry(view_of(graph_, node(n), scratch_));
    const ConvGeometry::Axes none{};
    return g.in_pixels() == 1 && g.taps() == 1 && g.groups == 1 && g.pad_begin == none &&
           g.pad_end == none;
  }

  bool is_mean_of_pixels(std::int32_t n, std::int32_t image) const {
    if (!is(n, fb::OpKind::reduce) || node(n).inputs[0] != image) return false;
    const auto& attrs = *static_cast<const fb::ReduceAttrs*>(node(n).attributes);
    if (attrs.function() != fb::ReduceFunction::mean || !attrs.keep_dims() ||
        attrs.axes() == nullptr)
      return false;
    // Sorted and different: so many of those between the first and the last are all of them.
    const auto& axes = *attrs.axes();
    const int rank = graph_.value(image).info.shape.rank();
    return static_cast<int>(axes.size()) == rank - 2 && axes.Get(0) == 1 &&
           axes.Get(axes.size() - 1) == rank - 2;
  }

  /// A sum with another tensor behind the product.
  void find_sum(Found& found) const {
    const std::int32_t scale = found.nodes[Net::scale], product = node(scale).outputs[0];
    if (binary(scale).activation() != fb::UnaryFunction::none) return;
    const std::int32_t sum = readers_.only(product);
    if (!is_binary(sum, fb::BinaryFunction::add)) return;
    const auto& operands = node(sum).inputs;
    const std::int32_t other = operands[operands[0] == product ? 1 : 0];
    if (!same_shape(graph_.value(other), graph_.value(product))) return;
    found.nodes[Net::add] = sum;
    found.addend = other;
  }

  const Graph& graph_;
  std::pmr::memory_resource& scratch_;
  Readers readers_;
  std::pmr::vector<Found> found_;
  std::pmr::vector<std::int32_t> of_node_;  // which of found_ a node is part of; -1: none
};

/// What it points to lives in `memory`.
GraphNode make_node(const Graph& graph, const Found& found, std::pmr::memory_resource& memory) {
  const auto node = [&](int part) -> const GraphNode& {
    return graph.nodes[at(found.nodes[at(part)])];
  };
  const auto operand = [&](int part, std::size_t i) {
    const auto& inputs = node(part).inputs;
    return i < inputs.size() ? inputs[i] : -1;
  };
  const std::array<std::int32_t, Net::kMaxInputs> all{
      found.image,
      operand(Net::reduce, 1),
      operand(Net::reduce, 2),
      operand(Net::expand, 1),
      operand(Net::expand, 2),
      found.addend == found.image ? -1 : found.addend};
  const std::size_t count = all.size() - (all[Net::addend] < 0 ? 1 : 0);
  auto* const inputs = static_cast<std::int32_t*>(
      memory.allocate(count * sizeof(std::int32_t), alignof(std::int32_t)));
  std::copy_n(all.begin(), count, inputs);
  auto& net = *new (memory.allocate(sizeof(Net), alignof(Net))) Net;
  net.count = found.addend < 0 ? Net::add : Net::kMaxParts;
  for (int p = 0; p < net.count; ++p) {
    Part& part = net.parts[static_cast<std::size_t>(p)];
    part = {node(p).def, node(p).attributes, node(p).name, {-1, -1, -1, -1}};
    for (std::size_t i = 0; i < node(p).inputs.size(); ++i) {
      const std::int32_t id = node(p).inputs[i];
      const bool previous = p > 0 && id == node(p - 1).outputs[0];
      if (id < 0) continue;
      part.operands[i] =
          previous ? Part::kPrevious : static_cast<int>(std::ranges::find(all, id) - all.begin());
    }
  }
  GraphNode whole = graph.nodes[at(found.last())];  // its name and result are the whole's
  whole.def = &squeeze_excite_op();
  whole.attributes = &net;
  whole.inputs = {inputs, count};
  return whole;
}

}  // namespace

void fuse_squeeze_excite(const Graph& graph, std::optional<Graph>& own,
                         std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  const auto make = [&](const Graph& from, const Finder&, const Found& found) {
    return make_node(from, found, memory);
  };
  rewrite<Finder>(graph, own, memory, make, scratch);
}

}  // namespace skiff
