#include <algorithm>

#include "converters/onnx/nested.h"
#include "converters/onnx/table.h"

// A branch whose condition is known at conversion is written out, others become nested graphs.
namespace skiff::onnx {
const GraphProto& body_of(Op& op, std::string_view name) {
  const AttributeProto* attribute = op.find(name);
  op.check(attribute != nullptr && attribute->has_g(), "attribute ", name, " is no graph");
  return attribute->g();
}

const Entry& entry_of(Op& op, int i) { return op.importer.entry(op.frame, op.node.input(i)); }

ValueId tensor_of(const Op& op, const Entry& entry) {
  op.check(entry.kind == Entry::Kind::tensor, "a value of the nested graph is no tensor");
  return entry.tensor;
}

void refuse_unless_bound(Op& op, Refuse why, std::initializer_list<int> operands) {
  for (int i : operands) {
    if (!op.has(i) || op.b.known(op.in(i))) continue;
    for (std::string& origin : op.b.origins(op.in(i)))
      if (std::find(why.bind.begin(), why.bind.end(), origin) == why.bind.end())
        why.bind.push_back(std::move(origin));
  }
  if (!why.bind.empty()) {
    why.help += why.help.empty() ? "" : "; or ";
    why.help += "fix what it is computed from:";
    for (const std::string& origin : why.bind) why.help += " --bind " + origin + "=...";
  }
  throw why;
}

void define(Op& op, int i, const Entry& entry) {
  if (op.wants(i)) op.importer.define(op.frame, op.node.output(i), entry);
}

namespace {

std::vector<ir::Graph> take(std::span<Scope* const> scopes) {
  std::vector<ir::Graph> graphs;
  for (Scope* scope : scopes) graphs.push_back(std::move(scope->graph));
  return graphs;
}

/// Every branch takes what any of them captures.
std::vector<ValueId> unite_captures(std::span<Scope* const> branches) {
  std::vector<ValueId> all;
  for (const Scope* branch : branches)
    for (ValueId id : branch->captured)
      if (std::find(all.begin(), all.end(), id) == all.end()) all.push_back(id);
  for (Scope* branch : branches) {
    branch->graph.inputs.clear();
    for (ValueId id : all) {
      const ir::Value& value = branch->outer->graph.value(id);
      const auto inside = branch->inside.find(id);
      if (inside == branch->inside.end())
        branch->graph.add_input(value.name, value.dtype, value.shape);
      else
        branch->graph.inputs.push_back(inside->second);
    }
  }
  return all;
}

/// A branch whose shapes cannot fit, as another runtime would find when it is taken: it gives what
/// the other branch gives, from an index out of range, so that a run which takes it fails.
void fill_impossible(Scope& scope, const ir::Graph& other) {
  Builder& b = scope.builder;
  b.begin("impossible", "a branch whose shapes do not fit");
  const std::int64_t beyond = 1;
  for (ValueId like : other.outputs) {
    const ir::Value& value = other.value(like);
    const ValueId index = b.from_integers(DType::int64, Shape{1}, std::span(&beyond, 1));
    const double zero = 0;
    const ValueId table = b.from_numbers(value.dtype, Shape{1}, std::span(&zero, 1));
    const ValueId taken = b.gather(table, index, 0);
    Shape ones;
    for (int i = 0; i < value.shape.rank(); ++i) ones.push_back(1);
    scope.graph.outputs.push_back(b.expand(b.reshape(taken, ones), value.shape));
  }
}

/// Both branches become part of the graph; the condition decides at run time.
void import_branches(Op& op) {
  Scope then_scope(op.frame.scope), else_scope(op.frame.scope), spare(op.frame.scope);
  Scope* scopes[] = {&then_scope, &else_scope};
  const bool then_fits = op.importer.import_branch(op, body_of(op, "then_branch"), then_scope);
  if (then_fits) {
    if (!op.importer.import_branch(op, body_of(op, "else_branch"), else_scope))
      fill_impossible(*(scopes[1] = &spare), then_scope.graph);
  } else {
    op.importer.import_nested(op, body_of(op, "else_branch"), else_scope);
    fill_impossible(*(scopes[0] = &spare), else_scope.graph);
  }
  const std::size_t results = scopes[0]->graph.outputs.size();
  op.check(results == scopes[1]->graph.outputs.size() && op.outputs() <= static_cast<int>(results),
           "its branches give ", results, " and ", scopes[1]->graph.outputs.size(), " values");
  for (std::size_t i = 0; i < results; ++i) {
    const ir::Value &a = scopes[0]->graph.value(scopes[0]->graph.outputs[i]),
                    &b = scopes[1]->graph.value(scopes[1]->graph.outputs[i]);
    op.check(a.dtype == b.dtype && a.shape == b.shape, "its branches give ", a.dtype, " ", a.shape,
             " and ", b.dtype, " ", b.shape, ": the size of the result would depend on the data");
  }
  std::vector<ValueId> inputs = unite_captures(scopes);
  ValueId condition = op.in(0);
  if (op.dtype(0) != DType::boolean) condition = op.b.cast(condition, DType::boolean);
  inputs.insert(inputs.begin(), condition);
  const auto outputs =
      op.b.add_many(fb::OpKind::if_else, fb::IfAttrsT(), std::move(inputs), results, take(scopes));
  for (int i = 0; i < op.outputs(); ++i) op.out(i, outputs[static_cast<std::size_t>(i)]);
}

void import_if(Op& op) {
  op.ignore({"then_branch", "else_branch"});
  if (!op.b.known(op.in(0))) {
    Refuse why;
    if (op.importer.attempt([&] { import_branches(op); }, &why)) return;
    refuse_unless_bound(op, why, {0});
  }
  const bool taken = op.known_integer(0, "the condition") != 0;
  const GraphProto& branch = body_of(op, taken ? "then_branch" : "else_branch");
  const std::vector<Entry> results = op.importer.import_body(op, branch, {});
  for (int i = 0; i < op.outputs() && i < static_cast<int>(results.size()); ++i)
    define(op, i, results[static_cast<std::size_t>(i)]);
}

constexpr Adapter kAdapters[] = {
    {"If", {1, 11, 13, 16, 19, 21, 23, 24, 25}, import_if},
};

}  // namespace

std::span<const Adapter> control_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
