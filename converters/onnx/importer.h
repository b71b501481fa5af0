#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "converters/import.h"
#include "converters/onnx/builder.h"
#include "converters/onnx/op.h"

namespace skiff::onnx {

/// What a name stands for: a tensor of the graph, a list of them (a sequence whose length is
/// known), an optional without a value, or something that was refused.
struct Entry {
  enum class Kind : std::uint8_t { tensor, sequence, nothing, refused } kind = Kind::tensor;
  ValueId tensor = kAbsent;
  std::vector<ValueId> sequence = {};
};

/// A graph that is being built: the main one, or the body of a node of another.
struct Scope {
  explicit Scope(Scope* around = nullptr)
      : outer(around), builder(graph, around == nullptr ? nullptr : &around->builder) {}

  Scope* outer;
  ir::Graph graph;
  Builder builder;
  std::vector<ValueId> captured = {};  ///< of the outer graph: the last inputs of this one
  std::unordered_map<ValueId, ValueId> inside = {};       ///< what they are here, constants too
  std::unordered_map<const void*, ValueId> tensors = {};  ///< constants, by message
  std::vector<char> named = {};  ///< by value: carries a name of the source already
};

/// Names of one graph or function body.
struct Frame {
  Scope* scope = nullptr;   ///< where its nodes go
  Frame* parent = nullptr;  ///< the graph around a nested one; null for the main one, functions
  std::unordered_map<std::string, Entry> entries = {};
  std::unordered_map<std::string, const TensorProto*> initializers = {};  ///< not yet in the graph
  const std::map<std::string, int>* opsets = nullptr;
  const Bindings* bindings = nullptr;
  std::string prefix = {};  ///< of node names
  int depth = 0;
};

/// Walks a model's nodes and lets the adapters add to the graph. Collects refusals.
class Importer {
 public:
  Importer(const ModelProto& model, std::string folder, const convert::ImportOptions& options);

  /// The whole model. Throws convert::Refused or Error.
  convert::Imported run();

  Builder& builder() noexcept { return scope_->builder; }

  /// The constant a tensor of the model is; made once, however often its node is imported.
  ValueId tensor(const TensorProto& tensor, const std::string& name, const std::string& what);
  ValueId tensor(const SparseTensorProto& tensor, const std::string& name, const std::string& what);

  /// The tensor a name stands for; an initializer enters the graph when it is first asked for.
  ValueId value(Frame& frame, const std::string& name);
  const Entry& entry(Frame& frame, const std::string& name);
  void define(Frame& frame, const std::string& name, ValueId value);
  void define(Frame& frame, const std::string& name, Entry entry);
  /// The shape a tensor has at the sizes the model was exported with; null: those are the sizes.
  const Shape* exported_shape(const Frame& frame, const std::string& name) const;
  /// Says that a frozen size was changed.
  void note_guess() noexcept { guessed_ = true; }

  /// Imports a nested graph in place and returns what its outputs stand for. `inputs` become the
  /// body's own inputs. Refusals inside are collected; throws Refuse when there were any.
  std::vector<Entry> import_body(Op& op, const GraphProto& body, const std::vector<Entry>& inputs);
  /// The same into a graph of its own, whose inputs so far are the body's own; values around it
  /// that it uses become its last inputs. The results become its outputs.
  void import_nested(Op& op, const GraphProto& body, Scope& scope);
  /// The same for a branch that may never be taken: false, and nothing held against the model, when
  /// all that is wrong are shapes which do not fit each other.
  bool import_branch(Op& op, const GraphProto& body, Scope& scope);
  /// Calls `import`; false when it refuses: then nothing of what was refused is held against the
  /// model, and `why` is the first of it.
  bool attempt(const std::function<void()>& import, Refuse* why = nullptr);
  /// Turns of a loop that nothing else bounds; 0: none were given.
  std::int64_t loop_bound() const noexcept { return options_.max_turns; }
  /// Loops whose turns are known become nodes only where they cannot be written out.
  bool writes_out_loops() const noexcept { return options_.write_out_loops; }

 private:
  /// Walks the nested graph's nodes; its inputs stand in the frame.
  std::vector<Entry> walk_body(Op& op, const GraphProto& body, Frame& frame);
  ValueId capture(ValueId value, const Scope& from, Scope& to);
  void read_opsets();
  void read_functions();
  void find_needed();
  void count_node();
  void collect_initializers(const GraphProto& graph, Frame& frame);
  void add_inputs(Frame& frame);
  void add_input(Frame& frame, const std::string& name);
  void set_outputs(Frame& frame);
  void release_unused();
  void import_nodes(const google::protobuf::RepeatedPtrField<NodeProto>& nodes, Frame& frame,
                    const std::vector<char>* needed);
  void import_node(const NodeProto& node, Frame& frame);
  void import_function(const NodeProto& node, const FunctionProto& function, Frame& frame);
  bool inputs_refused(const NodeProto& node, Frame& frame);
  void refuse_node(const NodeProto& node, Frame& frame, const std::string& op, const Refuse& why);

  const ModelProto& model_;
  std::string folder_;
  const convert::ImportOptions& options_;
  Scope main_;
  Scope* scope_ = &main_;
  std::map<std::string, int> opsets_;
  std::unordered_map<std::string, const FunctionProto*> functions_;
  std::unordered_map<std::string, const ValueInfoProto*> infos_;
  std::unordered_set<std::string> active_functions_;
  std::vector<std::string> outputs_;
  std::vector<char> needed_;  // by node of the main graph
  std::unordered_set<std::string> needed_names_;
  std::vector<convert::Refusal> refusals_;
  std::size_t misfits_ = 0;              // of the refusals: what cannot be right with these shapes
  std::map<std::string, Shape> shapes_;  // of the source's tensors
  bool guessed_ = false;
  std::size_t nodes_imported_ = 0;
};

/// The adapter for an operator of the default domain; null when unknown.
const Adapter* find_adapter(std::string_view op) noexcept;
/// The definition that holds at an opset: the highest known version not above it; 0: none.
int version_at(const Adapter& adapter, int opset) noexcept;

}  // namespace skiff::onnx
