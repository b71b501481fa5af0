#include <algorithm>
#include <optional>

#include "runtime/core/error.h"
#include "runtime/model/checks.h"
#include "runtime/ops/control.h"

namespace skiff::model {
namespace {

constexpr auto kBad = ErrorCode::invalid_model;

void check_quantization(const fb::Quantization& q, const TensorInfo& info) {
  const std::size_t scales = length(q.scale());
  require(q.block_size() >= 0, kBad, "value '", info.name, "': negative quantisation block");
  if (scales > 1) {
    require(q.axis() >= 0 && q.axis() < info.shape.rank(), kBad, "value '", info.name,
            "': quantisation axis ", q.axis(), " of a tensor of rank ", info.shape.rank());
    require(q.block_size() > 0 || static_cast<std::int64_t>(scales) == info.shape[q.axis()], kBad,
            "value '", info.name, "': ", scales, " scales for ", info.shape[q.axis()], " channels");
  }
  require(length(q.zero_point()) == 0 || length(q.zero_point()) == scales, kBad, "value '",
          info.name, "': as many zero points as scales are needed");
}

/// Sets the shape for every symbol at its largest, and the most bytes any choice needs.
void read_shape(const fb::Value& record, const Symbols* symbols, GraphValue& value) {
  TensorInfo& info = value.info;
  require(length(record.dims()) <= static_cast<std::size_t>(kMaxRank), kBad, "value '", info.name,
          "' has rank ", length(record.dims()), ", at most ", kMaxRank, " is possible");
  Shape largest;
  for (std::int64_t dim : numbers(record.dims())) {
    if (dim < 0) value.dims = record.dims();
    require(dim >= 0 || symbols != nullptr, kBad, "value '", info.name,
            "' has an extent that is an expression, but the model has no symbols");
    info.shape.push_back(dim >= 0 ? dim : symbols->resolve(dim));
    largest.push_back(dim >= 0 ? dim : std::max<std::int64_t>(0, symbols->upper_bound(dim)));
  }
  require(checked_bytes(info.dtype, info.shape).has_value(), kBad, "value '", info.name,
          "' of shape ", info.shape, " is too large");
  const auto bytes = checked_bytes(info.dtype, largest);
  require(bytes.has_value(), kBad, "value '", info.name, "' could grow to ", largest,
          ", which is too large");
  value.max_bytes = *bytes;
}

GraphValue read_value(const fb::Model& model, const fb::Value& record, const Symbols* symbols) {
  GraphValue value;
  TensorInfo& info = value.info;
  info.name = text(record.name());
  require(record.dtype() != fb::DType::none && record.dtype() <= fb::DType::MAX, kBad, "value '",
          info.name, "' has no known element type");
  info.dtype = static_cast<DType>(record.dtype());
  read_shape(record, symbols, value);
  if (record.quantization() != nullptr) {
    check_quantization(*record.quantization(), info);
    info.quantization = record.quantization();
  }
  if (record.buffer() == -1) return value;
  require(
      record.buffer() >= 0 && static_cast<std::size_t>(record.buffer()) < length(model.buffers()),
      kBad, "value '", info.name, "' names buffer ", record.buffer(), " of ",
      length(model.buffers()));
  const std::uint64_t size = model.buffers()->Get(static_cast<unsigned>(record.buffer()))->size();
  require(value.dims == nullptr, kBad, "constant '", info.name, "' has no fixed shape");
  require(size == static_cast<std::uint64_t>(value.max_bytes), kBad, "constant '", info.name,
          "' has ", size, " bytes, its shape ", info.shape, " needs ", value.max_bytes);
  value.buffer = record.buffer();
  info.constant = true;
  return value;
}

GraphValue read_variable(const fb::Model& model, const fb::Variable& record,
                         GraphVariable& variable) {
  GraphValue value;
  TensorInfo& info = value.info;
  info.name = text(record.name());
  require(record.dtype() != fb::DType::none && record.dtype() <= fb::DType::MAX, kBad, "variable '",
          info.name, "' has no known element type");
  require(length(record.dims()) <= static_cast<std::size_t>(kMaxRank), kBad, "variable '",
          info.name, "' has rank ", length(record.dims()), ", at most ", kMaxRank, " is possible");
  info.dtype = static_cast<DType>(record.dtype());
  for (std::int64_t dim : numbers(record.dims())) {
    require(dim >= 0, kBad, "variable '", info.name, "' has no fixed shape");
    info.shape.push_back(dim);
  }
  const auto bytes = checked_bytes(info.dtype, info.shape);
  require(bytes.has_value(), kBad, "variable '", info.name, "' of shape ", info.shape,
          " is too large");
  value.max_bytes = *bytes;
  if (record.initial_buffer() == -1) return value;
  require(record.initial_buffer() >= 0 &&
              static_cast<std::size_t>(record.initial_buffer()) < length(model.buffers()),
          kBad, "variable '", info.name, "' starts as buffer ", record.initial_buffer(), " of ",
          length(model.buffers()));
  const auto* buffer = model.buffers()->Get(static_cast<unsigned>(record.initial_buffer()));
  require(buffer->size() == static_cast<std::uint64_t>(*bytes), kBad,
          "the initial value of variable '", info.name, "' has the wrong size");
  variable.initial_buffer = record.initial_buffer();
  return value;
}

/// Loops inside of loops multiply.
void check_turns(const Graph& graph) {
  struct Open {
    std::int32_t end;
    std::int64_t turns;
  } open[kMaxNesting + 1];
  int depth = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    while (depth > 0 && static_cast<std::int32_t>(i) >= open[depth - 1].end) --depth;
    if (node.bodies.empty()) continue;
    std::int64_t turns = depth > 0 ? open[depth - 1].turns : 1;
    if (node.def->op != fb::OpKind::if_else) {
      std::int64_t most = static_cast<const fb::LoopAttrs*>(node.attributes)->max_trip_count();
      if (most < 0) most = graph.symbols->upper_bound(most);
      turns *= std::clamp<std::int64_t>(most, 1, kMaxTurns + 1);
      require(turns <= kMaxTurns, kBad, "node '", node.name, "': loops inside of loops turn ",
              turns, " times, at most ", kMaxTurns, " are possible");
    }
    open[depth++] = {node.end, turns};
  }
}

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

/// Walks the nodes in order and keeps note of which values exist at that point. Nested graphs are
/// walked where the node stands that they belong to.
class Builder {
 public:
  Builder(const fb::Model& model, Graph& graph, std::pmr::memory_resource& memory)
      : model_(model), graph_(graph), memory_(memory), defined_(&memory), used_(&memory) {}

  void build() {
    reserve();
    const fb::Graph& record = *model_.graphs()->Get(0);
    graph_.name = text(record.name());
    used_[0] = true;
    read_values(record);
    graph_.main_values = graph_.values.size();
    read_variables();
    graph_.inputs = local(record.inputs(), "graph input");
    for (std::int32_t id : graph_.inputs) {
      define(id, "graph input");
      require(counted_by(id) == 0, kBad, "input '", at(id).info.name,
              "' has a size that a node sets");
      at(id).is_input = true;
    }
    add_nodes(record);
    graph_.outputs = local(record.outputs(), "graph output");
    check_outputs(graph_.outputs);
    for (std::int32_t id : graph_.outputs) at(id).is_output = true;
    for (std::size_t i = 0; i < used_.size(); ++i)
      require(used_[i], kBad, "graph ", i, " is no node's body");
    require(graph_.symbols == nullptr || counted_ == graph_.symbols->counted(), kBad,
            "a symbol is set by a node that does not exist");
  }

 private:
  /// Everything is made once, so that nothing moves while nested graphs are walked.
  void reserve() {
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

  void read_values(const fb::Graph& record) {
    base_ = graph_.values.size();
    count_ = length(record.values());
    for (std::size_t i = 0; i < count_; ++i) {
      graph_.values.push_back(
          read_value(model_, *record.values()->Get(static_cast<unsigned>(i)), graph_.symbols));
      defined_.push_back(graph_.values.back().buffer >= 0);
    }
  }

  void read_variables() {
    graph_.variables.reserve(length(model_.variables()));
    for (std::size_t i = 0; i < length(model_.variables()); ++i) {
      const fb::Variable& record = *model_.variables()->Get(static_cast<unsigned>(i));
      graph_.variables.push_back({static_cast<std::int32_t>(graph_.values.size()), -1});
      graph_.values.push_back(read_variable(model_, record, graph_.variables.back()));
      defined_.push_back(true);
    }
  }

  GraphValue& at(std::int32_t id) { return graph_.values[static_cast<std::size_t>(id)]; }

  std::int32_t checked(std::int32_t id, std::string_view what) const {
    require(id >= 0 && static_cast<std::size_t>(id) < count_, kBad, what, " names value ", id,
            " of ", count_);
    return static_cast<std::int32_t>(base_) + id;
  }

  /// Ids of the graph that is being walked as those of the flat one, and one more; -1 stays.
  std::span<const std::int32_t> local(const flatbuffers::Vector<std::int32_t>* field,
                                      std::string_view what, std::int32_t extra = -1) {
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

  void define(std::int32_t id, std::string_view what) {
    require(id >= 0, kBad, what, " names value ", id, " of ", count_);
    const auto i = static_cast<std::size_t>(id);
    require(!defined_[i], kBad, what, " defines value '", graph_.values[i].info.name,
            "' a second time");
    defined_[i] = true;
  }

  void add_nodes(const fb::Graph& record) {
    for (std::size_t i = 0; i < length(record.nodes()); ++i)
      add_node(*record.nodes()->Get(static_cast<unsigned>(i)), static_cast<std::int32_t>(i));
  }

  /// `number`: among the nodes of its graph.
  void add_node(const fb::Node& record, std::int32_t number) {
    const auto place = static_cast<std::int32_t>(graph_.nodes.size());
    GraphNode& node = graph_.nodes.emplace_back();
    node.name = text(record.name());
    if (depth_ == 0) main_number_ = number;
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

  /// The value of the variable that a node reads or assigns; -1: it is another operator.
  std::int32_t variable_of(const fb::Node& record) const {
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
  void seal(const GraphNode& node) {
    at(node.outputs[0]).alias = node.inputs[1];
    defined_[static_cast<std::size_t>(node.outputs[0])] = false;
  }

  std::span<const GraphBody> add_bodies(const fb::Node& record, const GraphNode& node) {
    std::int32_t graphs[kMaxBodies] = {};
    if (record.attrs_type() != node.def->attrs || record.attrs() == nullptr) return {};
    const int count = bodies_of(node.def->op, record.attrs(), graphs);
    if (count == 0) return {};
    require(depth_ < kMaxNesting, kBad, "node '", node.name, "' nests graphs deeper than ",
            kMaxNesting);
    auto* bodies = static_cast<GraphBody*>(
        memory_.allocate(static_cast<std::size_t>(count) * sizeof(GraphBody), alignof(GraphBody)));
    for (int i = 0; i < count; ++i) new (bodies + i) GraphBody(add_body(graphs[i], node));
    graph_.has_bodies = true;
    return {bodies, static_cast<std::size_t>(count)};
  }

  GraphBody add_body(std::int32_t graph, const GraphNode& node) {
    require(graph > 0 && static_cast<std::size_t>(graph) < used_.size(), kBad, "node '", node.name,
            "' names graph ", graph, " of ", used_.size(), " as its body");
    require(!used_[static_cast<std::size_t>(graph)], kBad, "node '", node.name, "' takes graph ",
            graph, " as its body, which is another node's");
    used_[static_cast<std::size_t>(graph)] = true;
    const fb::Graph& record = *model_.graphs()->Get(static_cast<unsigned>(graph));
    const std::size_t base = base_, values = count_;
    ++depth_;
    read_values(record);
    GraphBody body;
    body.begin = static_cast<std::int32_t>(graph_.nodes.size());
    body.inputs = local(record.inputs(), "input of a nested graph");
    for (std::int32_t id : body.inputs) define(id, "input of a nested graph");
    add_nodes(record);
    body.outputs = local(record.outputs(), "output of a nested graph");
    check_outputs(body.outputs);
    body.end = static_cast<std::int32_t>(graph_.nodes.size());
    --depth_;
    base_ = base;
    count_ = values;
    return body;
  }

  /// Says whose memory the inputs of the bodies are. The rule has accepted their number and shapes.
  void join(const GraphNode& node) {
    if (node.def->op == fb::OpKind::if_else) {
      for (const GraphBody& branch : node.bodies)
        for (std::size_t i = 0; i < branch.inputs.size(); ++i)
          at(branch.inputs[i]).alias = node.inputs[i + 1];
      return;
    }
    const GraphBody& body = node.bodies[0];
    const auto& attrs = *static_cast<const fb::LoopAttrs*>(node.attributes);
    const LoopForm form = loop_form(node.def->op, attrs, node.inputs.size(), node.outputs.size());
    const auto input = [&](int i) { return body.inputs[static_cast<std::size_t>(i)]; };
    // What is carried lies in the node's outputs all the time.
    for (int i = 0; i < form.carried; ++i)
      at(input(form.given + i)).alias = node.outputs[static_cast<std::size_t>(i)];
    for (int i = 0; i < form.captured; ++i)
      at(input(form.given + form.carried + form.scanned + i)).alias =
          node.inputs[static_cast<std::size_t>(form.captured_input(i))];
    for (int i = 0; i < form.carried; ++i)
      for (int j = 0; j < form.carried; ++j)
        require(i == j || body.outputs[static_cast<std::size_t>(form.judged + i)] !=
                              input(form.given + j),
                kBad, "node '", node.name, "': its body hands on its input ", form.given + j,
                " as its output ", form.judged + i, " without a node between");
  }

  /// The symbols that nodes set which a value's shape depends on.
  Symbols::Set counted_by(std::int32_t id) const {
    Symbols::Set set = 0;
    if (const auto* dims = graph_.value(id).dims)
      for (std::int64_t dim : *dims) set |= graph_.symbols->counted(dim);
    return set;
  }

  /// Nodes of the main graph alone set symbols.
  void find_count(GraphNode& node, std::int32_t number) {
    node.sets = graph_.symbols == nullptr || node.nested ? -1 : graph_.symbols->set_by(number);
    require((node.sets >= 0) == (node.def->most != nullptr), kBad, "node '", node.name, "' (",
            node.def->name, ") ", node.sets < 0 ? "lacks" : "counts nothing and has",
            " a symbol for the number of its results");
  }

  /// A size is known once the node that sets it ran.
  void check_order(const GraphNode& node) {
    Symbols::Set own = 0;
    if (node.sets >= 0) own = Symbols::bit(node.sets);
    require((node.follows & ~(counted_ | own)) == 0 && (asked_ & ~counted_) == 0, kBad, "node '",
            node.name, "' depends on a size that is set later");
    counted_ |= own;
  }

  void check_rule(const fb::Node& record, GraphNode& node) {
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
              inferred[i].shape, ", value '", declared.name, "' is declared as ", declared.dtype,
              " ", declared.shape);
    }
  }

  void check_outputs(std::span<const std::int32_t> outputs) const {
    require(!outputs.empty(), kBad, "the graph has no output");
    for (std::int32_t id : outputs) {
      require(id >= 0, kBad, "graph output names value ", id, " of ", count_);
      require(defined_[static_cast<std::size_t>(id)], kBad, "graph output '",
              graph_.value(id).info.name, "' is never computed");
    }
  }

  const fb::Model& model_;
  Graph& graph_;
  std::pmr::memory_resource& memory_;
  std::pmr::vector<bool> defined_;
  Symbols::Set counted_ = 0;          // set by the nodes so far
  Symbols::Set asked_ = 0;            // by attributes of the present node
  std::pmr::vector<bool> used_;       // by graph of the file
  std::size_t base_ = 0, count_ = 0;  // of the values of the graph that is being walked
  int depth_ = 0;
  std::int32_t main_number_ = -1;  // of the node of graph 0 that is being walked
};

}  // namespace

void build_graph(const fb::Model& model, Graph& graph, std::pmr::memory_resource& memory) {
  Builder(model, graph, memory).build();
  check_turns(graph);
}

}  // namespace skiff::model
