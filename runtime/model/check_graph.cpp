#include <algorithm>
#include <optional>

#include "runtime/core/error.h"
#include "runtime/model/checks.h"

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

/// Walks the nodes in order and keeps note of which values exist at that point.
class Builder {
 public:
  Builder(const fb::Model& model, Graph& graph, std::pmr::memory_resource& memory)
      : model_(model), graph_(graph), memory_(memory), defined_(&memory) {}

  void build(const fb::Graph& record) {
    graph_.name = text(record.name());
    read_values(record);
    graph_.inputs = numbers(record.inputs());
    define_inputs();
    graph_.nodes.reserve(length(record.nodes()));
    for (std::size_t i = 0; i < length(record.nodes()); ++i)
      add_node(*record.nodes()->Get(static_cast<unsigned>(i)), static_cast<std::int32_t>(i));
    graph_.outputs = numbers(record.outputs());
    check_outputs();
    require(graph_.symbols == nullptr || counted_ == graph_.symbols->counted(), kBad,
            "a symbol is set by a node that does not exist");
  }

 private:
  void read_values(const fb::Graph& record) {
    graph_.values.reserve(length(record.values()));
    defined_.resize(length(record.values()), false);
    for (std::size_t i = 0; i < length(record.values()); ++i) {
      graph_.values.push_back(
          read_value(model_, *record.values()->Get(static_cast<unsigned>(i)), graph_.symbols));
      defined_[i] = graph_.values.back().buffer >= 0;
    }
  }

  std::size_t index(std::int32_t id, std::string_view what) const {
    require(id >= 0 && static_cast<std::size_t>(id) < graph_.values.size(), kBad, what,
            " names value ", id, " of ", graph_.values.size());
    return static_cast<std::size_t>(id);
  }

  void define(std::int32_t id, std::string_view what) {
    const std::size_t i = index(id, what);
    require(!defined_[i], kBad, what, " defines value '", graph_.values[i].info.name,
            "' a second time");
    defined_[i] = true;
  }

  void define_inputs() {
    for (std::int32_t id : graph_.inputs) {
      define(id, "graph input");
      require(counted_by(id) == 0, kBad, "input '", graph_.value(id).info.name,
              "' has a size that a node sets");
      graph_.values[static_cast<std::size_t>(id)].is_input = true;
    }
  }

  void add_node(const fb::Node& record, std::int32_t place) {
    GraphNode node;
    node.name = text(record.name());
    node.index = place;
    node.def = find_op(record.op());
    node.attributes = record.attrs();
    node.inputs = numbers(record.inputs());
    node.outputs = numbers(record.outputs());
    require(node.def != nullptr, ErrorCode::unsupported, "node '", node.name, "': operator number ",
            static_cast<int>(record.op()), " is newer than this Skiff");
    for (std::int32_t id : node.inputs) {
      if (id == -1) continue;
      const std::size_t i = index(id, node.name);
      require(defined_[i], kBad, "node '", node.name, "' reads value '", graph_.values[i].info.name,
              "' before it is computed");
    }
    for (std::int32_t id : node.outputs) {
      define(id, node.name);
      graph_.values[static_cast<std::size_t>(id)].producer = place;
    }
    find_count(node, place);
    check_rule(record, node);
    check_order(node);
    graph_.nodes.push_back(node);
  }

  /// The symbols that nodes set which a value's shape depends on.
  Symbols::Set counted_by(std::int32_t id) const {
    Symbols::Set set = 0;
    if (const auto* dims = graph_.value(id).dims)
      for (std::int64_t dim : *dims) set |= graph_.symbols->counted(dim);
    return set;
  }

  void find_count(GraphNode& node, std::int32_t place) {
    node.sets = graph_.symbols == nullptr ? -1 : graph_.symbols->set_by(place);
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

  void check_outputs() {
    require(!graph_.outputs.empty(), kBad, "the graph has no output");
    for (std::int32_t id : graph_.outputs) {
      const std::size_t i = index(id, "graph output");
      require(defined_[i], kBad, "graph output '", graph_.values[i].info.name,
              "' is never computed");
      graph_.values[i].is_output = true;
    }
  }

  const fb::Model& model_;
  Graph& graph_;
  std::pmr::memory_resource& memory_;
  std::pmr::vector<bool> defined_;
  Symbols::Set counted_ = 0;  // set by the nodes so far
  Symbols::Set asked_ = 0;    // by attributes of the present node
};

}  // namespace

void build_graph(const fb::Model& model, const fb::Graph& record, Graph& graph,
                 std::pmr::memory_resource& memory) {
  Builder(model, graph, memory).build(record);
}

}  // namespace skiff::model
