#include <algorithm>
#include <optional>

#include "runtime/core/error.h"
#include "runtime/model/graph_builder.h"

namespace skiff::model {
namespace {

constexpr auto kBad = ErrorCode::invalid_model;

/// Notes which symbols that nodes set a rule asks for.
class Asked final : public DimResolver {
 public:
  explicit Asked(const Symbols& symbols) : symbols_(symbols) {}
  std::int64_t resolve(std::int64_t dim) const override {
    set_ |= symbols_.counted(dim);
    return symbols_.resolve(dim);
  }
  Symbols::Set set() const noexcept { return set_; }

 private:
  const Symbols& symbols_;
  mutable Symbols::Set set_ = 0;
};

}  // namespace

void GraphBuilder::build() {
  reserve();
  const fb::Graph& record = *model_.graphs()->Get(0);
  graph_.name = text(record.name());
  used_[0] = true;
  read_values(record);
  graph_.main_values = graph_.values.size();
  read_variables();
  read_inputs(record);
  add_nodes(record);
  read_outputs(record);
  for (std::size_t i = 0; i < used_.size(); ++i)
    require(used_[i], kBad, "graph ", i, " is no node's body");
  require(graph_.symbols == nullptr || counted_ == graph_.symbols->counted(), kBad,
          "a symbol is set by a node that does not exist");
}

/// Everything is made once, so that nothing moves while nested graphs are walked.
void GraphBuilder::reserve() {
  std::size_t values = length(model_.variables()), nodes = 0;
  for (std::size_t i = 0; i < length(model_.graphs()); ++i) {
    values += length(model_.graphs()->Get(static_cast<unsigned>(i))->values());
    nodes += length(model_.graphs()->Get(static_cast<unsigned>(i))->nodes());
  }
  graph_.values.reserve(values);
  graph_.nodes.reserve(nodes);
  defined_.reserve(values);
  used_.resize(length(model_.graphs()), false);
}

void GraphBuilder::read_values(const fb::Graph& record) {
  base_ = graph_.values.size();
  count_ = length(record.values());
  for (std::size_t i = 0; i < count_; ++i) {
    graph_.values.push_back(
        read_value(model_, *record.values()->Get(static_cast<unsigned>(i)), graph_.symbols));
    defined_.push_back(graph_.values.back().buffer >= 0);
  }
}

void GraphBuilder::read_variables() {
  graph_.variables.reserve(length(model_.variables()));
  for (std::size_t i = 0; i < length(model_.variables()); ++i) {
    const fb::Variable& record = *model_.variables()->Get(static_cast<unsigned>(i));
    graph_.variables.push_back({static_cast<std::int32_t>(graph_.values.size()), -1});
    graph_.values.push_back(read_variable(model_, record, graph_.symbols, graph_.variables.back()));
    require(counted_by(graph_.variables.back().value) == 0, kBad, "variable '", text(record.name()),
            "' has a size that a node sets");
    defined_.push_back(true);
  }
}

void GraphBuilder::read_inputs(const fb::Graph& record) {
  graph_.inputs = local(record.inputs(), "graph input");
  for (std::int32_t id : graph_.inputs) {
    define(id, "graph input");
    require(counted_by(id) == 0, kBad, "input '", at(id).info.name,
            "' has a size that a node sets");
    at(id).is_input = true;
  }
}

void GraphBuilder::read_outputs(const fb::Graph& record) {
  graph_.outputs = local(record.outputs(), "graph output");
  check_outputs(graph_.outputs);
  for (std::int32_t id : graph_.outputs) at(id).is_output = true;
}

std::int32_t GraphBuilder::checked(std::int32_t id, std::string_view what) const {
  require(id >= 0 && static_cast<std::size_t>(id) < count_, kBad, what, " names value ", id, " of ",
          count_);
  return static_cast<std::int32_t>(base_) + id;
}

/// Ids of the graph that is being walked as those of the flat one, and one more; -1 stays.
std::span<const std::int32_t> GraphBuilder::local(const flatbuffers::Vector<std::int32_t>* field,
                                                  std::string_view what, std::int32_t extra) {
  const std::span<const std::int32_t> stored = numbers(field);
  const std::size_t count = stored.size() + (extra >= 0 ? 1 : 0);
  for (std::int32_t id : stored)
    if (id != -1) checked(id, what);
  if (base_ == 0 && extra < 0) return stored;
  auto* ids = static_cast<std::int32_t*>(
      memory_.allocate(std::max<std::size_t>(count, 1) * sizeof(std::int32_t), 4));
  for (std::size_t i = 0; i < stored.size(); ++i)
    ids[i] = stored[i] == -1 ? -1 : checked(stored[i], what);
  if (extra >= 0) ids[stored.size()] = extra;
  return {ids, count};
}

void GraphBuilder::define(std::int32_t id, std::string_view what) {
  require(id >= 0, kBad, what, " names value ", id, " of ", count_);
  const auto i = static_cast<std::size_t>(id);
  require(!defined_[i], kBad, what, " defines value '", graph_.values[i].info.name,
          "' a second time");
  defined_[i] = true;
}

void GraphBuilder::add_nodes(const fb::Graph& record) {
  for (std::size_t i = 0; i < length(record.nodes()); ++i)
    add_node(*record.nodes()->Get(static_cast<unsigned>(i)), static_cast<std::int32_t>(i));
}

/// `number`: among the nodes of its graph.
void GraphBuilder::add_node(const fb::Node& record, std::int32_t number) {
  const auto place = static_cast<std::int32_t>(graph_.nodes.size());
  GraphNode& node = graph_.nodes.emplace_back();
  if (depth_ == 0) main_number_ = number;
  read_node(record, node);
  node.bodies = add_bodies(record, node);
  node.end = static_cast<std::int32_t>(graph_.nodes.size());
  for (std::int32_t id : node.outputs) {
    define(id, node.name);
    at(id).producer = place;
  }
  find_count(node, number);
  check_rule(record, node);
  check_order(node);
  if (!node.bodies.empty()) join(node);
  if (node.def->op == fb::OpKind::assign_variable) seal(node);
}

void GraphBuilder::read_node(const fb::Node& record, GraphNode& node) {
  node.name = text(record.name());
  node.index = main_number_;
  node.def = find_op(record.op());
  node.attributes = record.attrs();
  node.nested = depth_ > 0;
  require(node.def != nullptr, ErrorCode::unsupported, "node '", node.name, "': operator number ",
          static_cast<int>(record.op()), " is newer than this Skiff");
  node.inputs = local(record.inputs(), node.name, variable_of(record));
  node.outputs = local(record.outputs(), node.name);
  for (std::int32_t id : node.inputs)
    require(id == -1 || defined_[static_cast<std::size_t>(id)], kBad, "node '", node.name,
            "' reads value '", id == -1 ? "" : at(id).info.name, "' before it is computed");
}

/// The value of the variable that a node reads or assigns; -1: it is another operator.
std::int32_t GraphBuilder::variable_of(const fb::Node& record) const {
  if (record.op() != fb::OpKind::read_variable && record.op() != fb::OpKind::assign_variable)
    return -1;
  const auto* attrs = record.attrs_as_VariableAttrs();
  require(attrs != nullptr, kBad, "node '", text(record.name()), "' names no variable");
  require(attrs->variable() >= 0 &&
              static_cast<std::size_t>(attrs->variable()) < graph_.variables.size(),
          kBad, "node '", text(record.name()), "' names variable ", attrs->variable(), " of ",
          graph_.variables.size());
  return graph_.variables[static_cast<std::size_t>(attrs->variable())].value;
}

/// What was assigned lies in the variable and changes with it.
void GraphBuilder::seal(const GraphNode& node) {
  at(node.outputs[0]).alias = node.inputs[1];
  defined_[static_cast<std::size_t>(node.outputs[0])] = false;
}

/// The symbols that nodes set which a value's shape depends on.
Symbols::Set GraphBuilder::counted_by(std::int32_t id) const {
  Symbols::Set set = 0;
  if (const auto* dims = graph_.value(id).dims)
    for (std::int64_t dim : *dims) set |= graph_.symbols->counted(dim);
  return set;
}

/// Nodes of the main graph alone set symbols.
void GraphBuilder::find_count(GraphNode& node, std::int32_t number) {
  node.sets = graph_.symbols == nullptr || node.nested ? -1 : graph_.symbols->set_by(number);
  require((node.sets >= 0) == (node.def->most != nullptr), kBad, "node '", node.name, "' (",
          node.def->name, ") ", node.sets < 0 ? "lacks" : "counts nothing and has",
          " a symbol for the number of its results");
}

/// A size is known once the node that sets it ran.
void GraphBuilder::check_order(const GraphNode& node) {
  Symbols::Set own = 0;
  if (node.sets >= 0) own = Symbols::bit(node.sets);
  require((node.follows & ~(counted_ | own)) == 0 && (asked_ & ~counted_) == 0, kBad, "node '",
          node.name, "' depends on a size that is set later");
  require(!node.nested || node.follows == 0, kBad, "node '", node.name,
          "' of a nested graph depends on a size that a node sets");
  counted_ |= own;
}

void GraphBuilder::check_rule(const fb::Node& record, GraphNode& node) {
  NodeView view = view_of(graph_, node, memory_);
  view.version = record.version();
  std::optional<Asked> asked;
  if (graph_.symbols != nullptr) view.dims = &asked.emplace(*graph_.symbols);
  std::pmr::vector<TensorInfo> inferred(node.outputs.size(), &memory_);
  infer_outputs(view, record.attrs_type(), inferred);
  asked_ = asked ? asked->set() : 0;
  node.follows = asked_;
  for (std::int32_t id : node.inputs)
    if (id >= 0) node.follows |= counted_by(id);
  for (std::int32_t id : node.outputs) node.follows |= counted_by(id);
  for (std::size_t i = 0; i < inferred.size(); ++i) {
    const TensorInfo& declared = graph_.value(node.outputs[i]).info;
    require(declared.dtype == inferred[i].dtype && declared.shape == inferred[i].shape, kBad,
            "node '", node.name, "' (", node.def->name, ") gives ", inferred[i].dtype, " ",
            inferred[i].shape, ", value '", declared.name, "' is declared as ", declared.dtype, " ",
            declared.shape);
  }
}

void GraphBuilder::check_outputs(std::span<const std::int32_t> outputs) const {
  require(!outputs.empty(), kBad, "the graph has no output");
  for (std::int32_t id : outputs) {
    require(id >= 0, kBad, "graph output names value ", id, " of ", count_);
    require(defined_[static_cast<std::size_t>(id)], kBad, "graph output '",
            graph_.value(id).info.name, "' is never computed");
  }
}

void build_graph(const fb::Model& model, Graph& graph, std::pmr::memory_resource& memory) {
  GraphBuilder(model, graph, memory).build();
  check_turns(graph);
}

}  // namespace skiff::model
