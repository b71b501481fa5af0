#include "converters/onnx/importer.h"
#include "converters/onnx/table.h"

// Nested graphs, written out while importing: the branch that is taken, every turn of a loop whose
// number is known.
namespace skiff::onnx {
namespace {

constexpr std::int64_t kMaxTurns = 1024;

const GraphProto& body_of(Op& op, std::string_view name) {
  const AttributeProto* attribute = op.find(name);
  op.check(attribute != nullptr && attribute->has_g(), "attribute ", name, " is no graph");
  return attribute->g();
}

Entry entry_of(Op& op, int i) { return op.importer.entry(op.frame, op.node.input(i)); }

ValueId tensor_of(const Op& op, const Entry& entry) {
  op.check(entry.kind == Entry::Kind::tensor, "a value of the nested graph is no tensor");
  return entry.tensor;
}

void define(Op& op, int i, const Entry& entry) {
  if (op.wants(i)) op.importer.define(op.frame, op.node.output(i), entry);
}

void import_if(Op& op) {
  op.ignore({"then_branch", "else_branch"});
  const bool taken = op.known_integer(0, "the condition") != 0;
  const GraphProto& branch = body_of(op, taken ? "then_branch" : "else_branch");
  const std::vector<Entry> results = op.importer.import_body(op, branch, {});
  for (int i = 0; i < op.outputs() && i < static_cast<int>(results.size()); ++i)
    define(op, i, results[static_cast<std::size_t>(i)]);
}

bool holds(Op& op, const Entry& condition) {
  const ValueId value = tensor_of(op, condition);
  op.check(op.b.known(value), "its condition must be known at conversion on every turn");
  const Ints numbers = op.b.integers(value);
  op.check(numbers.size() == 1, "its condition has ", numbers.size(), " elements");
  return numbers[0] != 0;
}

/// The pieces of all turns, one behind the other along a new axis.
ValueId stacked(Op& op, const std::vector<ValueId>& pieces, std::int64_t axis) {
  op.check(!pieces.empty(), "it never turns, so the shape of what it collects is unknown");
  std::vector<ValueId> parts;
  const int place = op.axis(axis, op.b.rank(pieces[0]) + 1);
  for (ValueId piece : pieces) parts.push_back(op.b.unsqueeze(piece, {place}));
  return op.b.concat(std::move(parts), place);
}

void import_loop(Op& op) {
  const GraphProto& body = body_of(op, "body");
  const std::int64_t most = op.has(0) ? op.known_integer(0, "the trip count") : kMaxTurns + 1;
  bool going = !op.has(1) || op.known_integer(1, "the condition") != 0;
  std::vector<Entry> carried;
  for (int i = 2; i < op.inputs(); ++i) carried.push_back(entry_of(op, i));
  const std::size_t states = carried.size();
  op.check(body.output_size() >= static_cast<int>(states) + 1, "its body has ", body.output_size(),
           " outputs");
  std::vector<std::vector<ValueId>> scanned(static_cast<std::size_t>(body.output_size()) - 1 -
                                            states);
  for (std::int64_t turn = 0; turn < most && going; ++turn) {
    op.check(turn < kMaxTurns, "it turns more than ", kMaxTurns, " times");
    std::vector<Entry> inputs{{.tensor = op.b.from_integers(DType::int64, {}, std::span(&turn, 1))},
                              {.tensor = op.b.scalar(DType::boolean, 1)}};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    std::vector<Entry> results = op.importer.import_body(op, body, inputs);
    going = holds(op, results[0]);
    for (std::size_t i = 0; i < states; ++i) carried[i] = results[i + 1];
    for (std::size_t i = 0; i < scanned.size(); ++i)
      scanned[i].push_back(tensor_of(op, results[i + 1 + states]));
  }
  for (std::size_t i = 0; i < states; ++i) define(op, static_cast<int>(i), carried[i]);
  for (std::size_t i = 0; i < scanned.size(); ++i)
    if (const int output = static_cast<int>(i + states); op.wants(output))
      op.out(output, stacked(op, scanned[i], 0));
}

Ints per_value(Op& op, std::string_view name, std::size_t count) {
  Ints list = op.integers(name);
  if (list.empty()) list.assign(count, 0);
  op.check(list.size() == count, name, " has ", list.size(), " entries, needs ", count);
  return list;
}

void import_scan(Op& op) {
  op.check(op.version >= 9, "the form with sequence_lens (before opset 9) is not known");
  const GraphProto& body = body_of(op, "body");
  const std::int64_t scans = op.integer("num_scan_inputs");
  op.check(scans >= 1 && scans <= op.inputs(), "num_scan_inputs is ", scans);
  const int states = op.inputs() - static_cast<int>(scans);
  op.check(body.output_size() >= states, "its body has ", body.output_size(), " outputs");
  const auto inputs = static_cast<std::size_t>(scans);
  const auto collected = static_cast<std::size_t>(body.output_size() - states);
  const Ints in_axes = per_value(op, "scan_input_axes", inputs),
             in_reverse = per_value(op, "scan_input_directions", inputs),
             out_axes = per_value(op, "scan_output_axes", collected),
             out_reverse = per_value(op, "scan_output_directions", collected);
  std::vector<Entry> carried;
  for (int i = 0; i < states; ++i) carried.push_back(entry_of(op, i));
  const auto axis_of = [&](int i) {
    return op.axis(in_axes[static_cast<std::size_t>(i)], op.rank(states + i));
  };
  const std::int64_t turns = op.shape(states)[axis_of(0)];
  op.check(turns <= kMaxTurns, "it turns ", turns, " times, more than ", kMaxTurns);
  std::vector<std::vector<ValueId>> scanned(collected);
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    std::vector<Entry> values = carried;
    for (int i = 0; i < static_cast<int>(scans); ++i) {
      const bool back = in_reverse[static_cast<std::size_t>(i)] != 0;
      const int axis = axis_of(i);
      const ValueId piece =
          op.b.slice_axis(op.in(states + i), axis, back ? turns - 1 - turn : turn, 1);
      values.push_back({.tensor = op.b.squeeze(piece, {axis})});
    }
    const std::vector<Entry> results = op.importer.import_body(op, body, values);
    carried.assign(results.begin(), results.begin() + states);
    for (std::size_t i = 0; i < collected; ++i) {
      auto& pieces = scanned[i];
      const ValueId piece = tensor_of(op, results[i + static_cast<std::size_t>(states)]);
      pieces.insert(out_reverse[i] != 0 ? pieces.begin() : pieces.end(), piece);
    }
  }
  for (int i = 0; i < states; ++i) define(op, i, carried[static_cast<std::size_t>(i)]);
  for (std::size_t i = 0; i < collected; ++i)
    if (const int output = states + static_cast<int>(i); op.wants(output))
      op.out(output, stacked(op, scanned[i], out_axes[i]));
}

constexpr Adapter kAdapters[] = {
    {"If", {1, 11, 13, 16, 19, 21, 23, 24, 25}, import_if},
    {"Loop", {1, 11, 13, 16, 19, 21, 23, 24, 25}, import_loop},
    {"Scan", {8, 9, 11, 16, 19, 21, 23, 24, 25}, import_scan},
};

}  // namespace

std::span<const Adapter> control_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
