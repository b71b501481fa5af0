#include "converters/onnx/importer.h"

#include <algorithm>
#include <utility>

#include "converters/ir/counts.h"
#include "runtime/ops/control.h"

namespace skiff::onnx {
namespace {

constexpr int kNewestOpset = 27;
constexpr int kMaxFunctionDepth = 32;
constexpr std::size_t kMaxNodes = 250'000;  // after functions and loops were written out

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

std::string name_of_node(const NodeProto& node) {
  if (!node.name().empty()) return node.name();
  for (const std::string& output : node.output())
    if (!output.empty()) return output;
  return node.op_type();
}

std::string function_key(const std::string& domain, const std::string& name,
                         const std::string& overload) {
  return (is_default_domain(domain) ? "" : domain) + "\n" + name + "\n" + overload;
}

std::string function_key(const NodeProto& node) {
  return function_key(node.domain(), node.op_type(), node.overload());
}

}  // namespace

Importer::Importer(const ModelProto& model, std::string folder,
                   const convert::ImportOptions& options)
    : model_(model), folder_(std::move(folder)), options_(options) {
  main_.graph.assumption = options.assumption;
}

convert::Imported Importer::run() {
  read_opsets();
  read_functions();
  Frame frame{.scope = &main_, .opsets = &opsets_};
  scope_->graph.name = model_.graph().name();
  for (const ValueInfoProto& info : model_.graph().value_info()) infos_[info.name()] = &info;
  for (const ValueInfoProto& info : model_.graph().output()) infos_[info.name()] = &info;
  for (const ValueInfoProto& info : model_.graph().input()) infos_[info.name()] = &info;
  collect_initializers(model_.graph(), frame);
  find_needed();
  add_inputs(frame);
  import_nodes(model_.graph().node(), frame, &needed_);
  if (refusals_.empty()) set_outputs(frame);
  if (!refusals_.empty()) throw convert::Refused(std::move(refusals_));
  release_unused();
  convert::Imported imported{.graph = std::move(main_.graph),
                             .source = {},
                             .shapes = std::move(shapes_),
                             .guessed = guessed_};
  imported.source.format = "onnx";
  imported.source.producer = model_.producer_name();
  if (!model_.producer_version().empty())
    imported.source.producer += " " + model_.producer_version();
  imported.source.opset = opsets_[""];
  return imported;
}

void Importer::read_opsets() {
  for (const OperatorSetIdProto& opset : model_.opset_import()) {
    const std::string domain = is_default_domain(opset.domain()) ? "" : opset.domain();
    require(opset.version() >= 1 && opset.version() < 1'000'000, ErrorCode::invalid_model,
            "the model imports version ", opset.version(), " of operator set '", domain, "'");
    opsets_[domain] = static_cast<int>(opset.version());
  }
  // Files before opset_import existed (ir_version < 3) mean the first operator set.
  const int opset = opsets_.emplace("", 1).first->second;
  require(opset <= kNewestOpset, ErrorCode::unsupported, "the model needs operator set ", opset,
          " of ONNX; this version knows 1 to ", kNewestOpset,
          ": export it with an older operator set");
}

void Importer::read_functions() {
  for (const FunctionProto& function : model_.functions())
    require(functions_
                .emplace(function_key(function.domain(), function.name(), function.overload()),
                         &function)
                .second,
            ErrorCode::invalid_model, "function '", function.name(), "' is defined twice");
}

void Importer::collect_initializers(const GraphProto& graph, Frame& frame) {
  for (const TensorProto& tensor : graph.initializer()) frame.initializers[tensor.name()] = &tensor;
  for (const SparseTensorProto& tensor : graph.sparse_initializer()) {
    const std::string& name = tensor.values().name();
    frame.entries[name] = {.tensor = this->tensor(tensor, name, "initializer '" + name + "'")};
  }
}

ValueId Importer::tensor(const TensorProto& tensor, const std::string& name,
                         const std::string& what) {
  const auto found = scope_->tensors.find(&tensor);
  if (found != scope_->tensors.end()) return found->second;
  Dense dense = read_tensor(tensor, folder_, what);
  if (scope_ != &main_) builder().charge(static_cast<std::int64_t>(dense.bytes.size()));
  return scope_->tensors[&tensor] =
             scope_->graph.add_constant(name, dense.dtype, dense.shape, std::move(dense.bytes));
}

ValueId Importer::tensor(const SparseTensorProto& tensor, const std::string& name,
                         const std::string& what) {
  const auto found = scope_->tensors.find(&tensor);
  if (found != scope_->tensors.end()) return found->second;
  Dense dense = read_sparse(tensor, folder_, what);
  builder().charge(static_cast<std::int64_t>(dense.bytes.size()));
  return scope_->tensors[&tensor] =
             scope_->graph.add_constant(name, dense.dtype, dense.shape, std::move(dense.bytes));
}

const Entry& Importer::entry(Frame& frame, const std::string& name) {
  for (Frame* at = &frame; at != nullptr; at = at->parent) {
    if (const auto found = at->entries.find(name); found != at->entries.end()) {
      if (at->scope == frame.scope) return found->second;
      Entry inside = found->second;
      if (inside.kind == Entry::Kind::tensor)
        inside.tensor = capture(inside.tensor, *at->scope, *frame.scope);
      for (ValueId& element : inside.sequence) element = capture(element, *at->scope, *frame.scope);
      return frame.entries[name] = std::move(inside);
    }
    const auto found = at->initializers.find(name);
    if (found == at->initializers.end()) continue;
    Frame& home = at->scope == frame.scope ? *at : frame;
    return home.entries[name] = {.tensor =
                                     tensor(*found->second, name, "initializer '" + name + "'")};
  }
  throw Refuse{"input '" + name + "' is computed by no node before this one", {}, {}};
}

/// A value of a graph around `to` as one of `to`: constants are copied, others handed in.
ValueId Importer::capture(ValueId id, const Scope& from, Scope& to) {
  if (&from == &to) return id;
  const ValueId outer = capture(id, from, *to.outer);
  const auto [place, added] = to.inside.try_emplace(outer, kAbsent);
  if (!added) return place->second;
  const ir::Value& value = to.outer->graph.value(outer);
  if (to.outer->builder.known(outer)) {
    to.builder.charge(static_cast<std::int64_t>(value.constant->size()));
    place->second = to.graph.add_constant(value.name, value.dtype, value.shape, *value.constant);
    to.graph.value(place->second).quantization = value.quantization;
  } else {
    place->second = to.graph.add_input(value.name, value.dtype, value.shape);
    to.captured.push_back(outer);
  }
  return place->second;
}

ValueId Importer::value(Frame& frame, const std::string& name) {
  const Entry& found = entry(frame, name);
  switch (found.kind) {
    case Entry::Kind::tensor:
      return found.tensor;
    case Entry::Kind::sequence:
      throw Refuse{"input '" + name + "' is a sequence", {}, {}};
    case Entry::Kind::nothing:
      throw Refuse{"input '" + name + "' is absent", {}, {}};
    case Entry::Kind::refused:
      break;
  }
  throw Refuse{};
}

void Importer::define(Frame& frame, const std::string& name, ValueId value) {
  scope_->named.resize(scope_->graph.value_count(), 0);
  char& named = scope_->named[static_cast<std::size_t>(value)];
  // The last node that makes a value carries the source's name; what passes through keeps its own.
  if (!named && scope_->graph.value(value).producer >= 0) scope_->graph.value(value).name = name;
  named = 1;
  shapes_[frame.prefix + name] = scope_->graph.value(value).shape;
  define(frame, name, Entry{.tensor = value});
}

void Importer::define(Frame& frame, const std::string& name, Entry entry) {
  // A tensor that is cut off by --from is an input already; what computes it is not needed, but a
  // node may have other outputs.
  if (frame.parent == nullptr &&
      std::find(options_.from.begin(), options_.from.end(), name) != options_.from.end())
    return;
  if (!frame.entries.emplace(name, std::move(entry)).second)
    throw Refuse{"output '" + name + "' is computed by another node too", {}, {}};
}

const Shape* Importer::exported_shape(const Frame& frame, const std::string& name) const {
  if (options_.exported == nullptr) return nullptr;
  for (const Frame* at = &frame; at != nullptr; at = at->parent)
    if (const auto found = options_.exported->find(at->prefix + name);
        found != options_.exported->end())
      return &found->second;
  return nullptr;
}

void Importer::import_nodes(const google::protobuf::RepeatedPtrField<NodeProto>& nodes,
                            Frame& frame, const std::vector<char>* needed) {
  for (int i = 0; i < nodes.size(); ++i)
    if (needed == nullptr || (*needed)[static_cast<std::size_t>(i)]) import_node(nodes[i], frame);
}

bool Importer::inputs_refused(const NodeProto& node, Frame& frame) {
  return std::any_of(node.input().begin(), node.input().end(), [&](const std::string& name) {
    return !name.empty() && entry(frame, name).kind == Entry::Kind::refused;
  });
}

void Importer::refuse_node(const NodeProto& node, Frame& frame, const std::string& op,
                           const Refuse& why) {
  if (!why.reason.empty())
    refusals_.push_back({.node = frame.prefix + name_of_node(node),
                         .op = op,
                         .reason = why.reason,
                         .help = why.help,
                         .bind = why.bind});
  for (const std::string& output : node.output())
    if (!output.empty()) frame.entries[output] = {.kind = Entry::Kind::refused};
}

void Importer::count_node() {
  require(++nodes_imported_ <= kMaxNodes, ErrorCode::budget_exceeded, "the model has more than ",
          kMaxNodes, " nodes once functions and loops are written out");
}

void Importer::import_node(const NodeProto& node, Frame& frame) {
  std::string op_name = node.op_type();
  try {
    count_node();
    if (const auto function = functions_.find(function_key(node)); function != functions_.end()) {
      import_function(node, *function->second, frame);
      return;
    }
    if (!is_default_domain(node.domain()))
      throw Refuse{"operators of '" + node.domain() + "' are not known",
                   "cut it off with --from and --to",
                   {}};
    const Adapter* adapter = find_adapter(node.op_type());
    if (adapter == nullptr)
      throw Refuse{"this operator is not known", "cut it off with --from and --to", {}};
    const auto opset = frame.opsets->find("");
    const int version = version_at(*adapter, opset == frame.opsets->end() ? 1 : opset->second);
    op_name += "-" + std::to_string(version);
    if (version == 0) throw Refuse{"this operator is not part of the model's operator set", {}, {}};
    if (inputs_refused(node, frame)) throw Refuse{};
    if (node.output_size() == 0) throw Refuse{"it has no output", {}, {}};
    const std::string name = frame.prefix + name_of_node(node);
    builder().begin(name, node.op_type() + " '" + name + "' (ONNX)");
    Op op(node, version, *this, frame);
    adapter->import(op);
    op.finish();
  } catch (const Refuse& why) {
    refuse_node(node, frame, op_name, why);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_model && error.code() != ErrorCode::unsupported) throw;
    misfits_ += error.code() == ErrorCode::invalid_model ? 1 : 0;
    refuse_node(node, frame, op_name, {error.what(), {}, {}});
  }
}

void Importer::import_function(const NodeProto& node, const FunctionProto& function, Frame& frame) {
  const std::string key = function_key(node);
  if (frame.depth >= kMaxFunctionDepth || !active_functions_.insert(key).second)
    throw Refuse{"function '" + function.name() + "' calls itself or nests too deeply", {}, {}};
  const struct Leave {
    std::unordered_set<std::string>& active;
    const std::string& key;
    ~Leave() { active.erase(key); }
  } leave{active_functions_, key};

  Bindings bindings;
  for (const AttributeProto& attribute : function.attribute_proto())
    bindings[attribute.name()] = &attribute;
  for (const AttributeProto& attribute : node.attribute()) {
    const AttributeProto* given = &attribute;
    if (!attribute.ref_attr_name().empty()) {
      const auto outer = frame.bindings == nullptr
                             ? bindings.end()
                             : frame.bindings->find(attribute.ref_attr_name());
      if (frame.bindings == nullptr || outer == frame.bindings->end()) continue;
      given = outer->second;
    }
    bindings[attribute.name()] = given;
  }
  std::map<std::string, int> opsets;
  for (const OperatorSetIdProto& opset : function.opset_import())
    opsets[is_default_domain(opset.domain()) ? "" : opset.domain()] =
        static_cast<int>(std::clamp<std::int64_t>(opset.version(), 0, kNewestOpset));
  Frame body{.scope = frame.scope,
             .opsets = opsets.empty() ? frame.opsets : &opsets,
             .bindings = &bindings,
             .prefix = frame.prefix + name_of_node(node) + "/",
             .depth = frame.depth + 1};
  for (int i = 0; i < function.input_size(); ++i) {
    const bool given = i < node.input_size() && !node.input(i).empty();
    body.entries[function.input(i)] =
        given ? entry(frame, node.input(i)) : Entry{.kind = Entry::Kind::nothing};
  }
  import_nodes(function.node(), body, nullptr);
  for (int i = 0; i < node.output_size() && i < function.output_size(); ++i)
    if (!node.output(i).empty()) define(frame, node.output(i), entry(body, function.output(i)));
}

std::vector<Entry> Importer::walk_body(Op& op, const GraphProto& graph, Frame& body) {
  op.check(op.frame.depth < kMaxFunctionDepth, "graphs nest too deeply");
  count_node();
  body.parent = &op.frame;
  body.opsets = op.frame.opsets;
  body.bindings = op.frame.bindings;
  body.prefix = op.frame.prefix + name_of_node(op.node) + "/";
  body.depth = op.frame.depth + 1;
  collect_initializers(graph, body);
  import_nodes(graph.node(), body, nullptr);
  std::vector<Entry> outputs;
  for (const ValueInfoProto& output : graph.output()) {
    outputs.push_back(entry(body, output.name()));
    if (outputs.back().kind == Entry::Kind::refused) throw Refuse{};
  }
  return outputs;
}

std::vector<Entry> Importer::import_body(Op& op, const GraphProto& graph,
                                         const std::vector<Entry>& inputs) {
  op.check(static_cast<int>(inputs.size()) == graph.input_size(), "the nested graph has ",
           graph.input_size(), " inputs, gets ", inputs.size());
  Frame body{.scope = op.frame.scope};
  for (int i = 0; i < graph.input_size(); ++i)
    body.entries[graph.input(i).name()] = inputs[static_cast<std::size_t>(i)];
  const std::vector<Entry> outputs = walk_body(op, graph, body);
  const std::string name = op.frame.prefix + name_of_node(op.node);
  builder().begin(name, op.node.op_type() + " '" + name + "' (ONNX)");
  return outputs;
}

void Importer::import_nested(Op& op, const GraphProto& graph, Scope& scope) {
  const std::vector<ValueId> inputs = scope.graph.inputs;
  int depth = 0;
  for (const Scope* at = &scope; at->outer != nullptr; at = at->outer) ++depth;
  op.check(depth <= kMaxNesting, "graphs that are not known at conversion nest deeper than ",
           kMaxNesting);
  op.check(static_cast<int>(inputs.size()) == graph.input_size(), "the nested graph has ",
           graph.input_size(), " inputs, gets ", inputs.size());
  Frame body{.scope = &scope};
  for (int i = 0; i < graph.input_size(); ++i)
    body.entries[graph.input(i).name()] = {.tensor = inputs[static_cast<std::size_t>(i)]};
  const struct Leave {
    Scope*& now;
    Scope* before;
    ~Leave() { now = before; }
  } leave{scope_, std::exchange(scope_, &scope)};
  scope.graph.name = graph.name();
  for (const Entry& output : walk_body(op, graph, body)) {
    op.check(output.kind == Entry::Kind::tensor, "a result of its nested graph is no tensor, and ",
             "which nested graph runs is not known at conversion");
    scope.graph.outputs.push_back(output.tensor);
  }
  op.check(!ir::has_counting(scope.graph), "a size in its nested graph depends on the data");
}

bool Importer::import_branch(Op& op, const GraphProto& body, Scope& scope) {
  const std::size_t refused = refusals_.size(), misfits = misfits_;
  try {
    import_nested(op, body, scope);
    return true;
  } catch (const Refuse& why) {
    const std::size_t added = refusals_.size() - refused;
    if (!why.reason.empty() || added == 0 || added != misfits_ - misfits) throw;
  }
  refusals_.resize(refused);
  misfits_ = misfits;
  return false;
}

bool Importer::attempt(const std::function<void()>& import, Refuse* why) {
  const std::size_t refused = refusals_.size(), misfits = misfits_;
  Refuse reason;
  try {
    import();
    return true;
  } catch (const Refuse& refusal) {
    reason = refusal;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_model && error.code() != ErrorCode::unsupported) throw;
    reason = {error.what(), {}, {}};
  }
  if (reason.reason.empty() && refusals_.size() > refused) {
    const convert::Refusal& inner = refusals_[refused];
    reason = {message(inner.op, " '", inner.node, "' of its nested graph: ", inner.reason),
              inner.help, inner.bind};
  }
  refusals_.resize(refused);
  misfits_ = misfits;
  if (why != nullptr) *why = std::move(reason);
  return false;
}

}  // namespace skiff::onnx
