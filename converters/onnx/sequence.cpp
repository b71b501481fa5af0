#include "converters/onnx/importer.h"
#include "converters/onnx/table.h"

// Sequences and optionals inside a graph: lists that are known while importing and leave no trace
// in the file.
namespace skiff::onnx {
namespace {

using Kind = Entry::Kind;

const Entry& entry_of(Op& op, int i) {
  op.check(i < op.inputs() && !op.node.input(i).empty(), "input ", i, " is missing");
  return op.importer.entry(op.frame, op.node.input(i));
}

std::vector<ValueId> list_of(Op& op, int i) {
  const Entry& entry = entry_of(op, i);
  op.check(entry.kind == Kind::sequence, "input ", i, " is no sequence");
  return entry.sequence;
}

void define_list(Op& op, std::vector<ValueId> list) {
  if (op.wants(0))
    op.importer.define(op.frame, op.node.output(0),
                       Entry{.kind = Kind::sequence, .sequence = std::move(list)});
}

/// A place in a list of `size`, counted from the end when negative.
std::size_t place(Op& op, int i, std::size_t size, std::size_t limit) {
  const std::int64_t given = op.known_integer(i, "the position");
  const auto count = static_cast<std::int64_t>(size);
  const std::int64_t at = given < 0 ? given + count : given;
  op.check(at >= 0 && at < static_cast<std::int64_t>(limit), "position ", given,
           " is outside a sequence of ", count);
  return static_cast<std::size_t>(at);
}

void import_construct(Op& op) { define_list(op, op.all_inputs()); }

void import_empty(Op& op) {
  op.ignore({"dtype"});
  define_list(op, {});
}

void import_at(Op& op) {
  const std::vector<ValueId> list = list_of(op, 0);
  op.out(list[place(op, 1, list.size(), list.size())]);
}

void import_insert(Op& op) {
  std::vector<ValueId> list = list_of(op, 0);
  const std::size_t at = op.has(2) ? place(op, 2, list.size(), list.size() + 1) : list.size();
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), op.in(1));
  define_list(op, std::move(list));
}

void import_erase(Op& op) {
  std::vector<ValueId> list = list_of(op, 0);
  op.check(!list.empty(), "the sequence is empty");
  const std::size_t at = op.has(1) ? place(op, 1, list.size(), list.size()) : list.size() - 1;
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
  define_list(op, std::move(list));
}

void import_length(Op& op) {
  const auto length = static_cast<std::int64_t>(list_of(op, 0).size());
  op.out(op.b.from_integers(DType::int64, {}, std::span(&length, 1)));
}

void import_concat(Op& op) {
  std::vector<ValueId> list = list_of(op, 0);
  op.check(!list.empty(), "the sequence is empty");
  const bool stack = op.flag("new_axis", false);
  const int axis = op.axis(op.integer("axis"), op.b.rank(list[0]) + (stack ? 1 : 0));
  if (stack)
    for (ValueId& piece : list) piece = op.b.unsqueeze(piece, {axis});
  op.out(op.b.concat(std::move(list), axis));
}

void import_split(Op& op) {
  const int axis = op.axis(op.integer("axis", 0), op.rank(0));
  const bool keep = op.flag("keepdims", true);
  const std::int64_t extent = op.shape(0)[axis];
  Ints sizes;
  if (op.has(1) && op.rank(1) == 1) {
    sizes = op.known_integers(1, "split");
  } else {
    const std::int64_t size = op.has(1) ? op.known_integer(1, "split") : 1;
    op.check(size >= 1 && extent / size <= 4096, "split is ", size);
    for (std::int64_t start = 0; start < extent; start += size)
      sizes.push_back(std::min(size, extent - start));
  }
  std::vector<ValueId> list;
  std::int64_t start = 0;
  for (std::int64_t size : sizes) {
    op.check(size >= 0 && size <= extent - start, "split does not add up to ", extent);
    list.push_back(op.b.slice_axis(op.in(0), axis, start, size));
    if (!op.has(1) && !keep) list.back() = op.b.squeeze(list.back(), {axis});
    start += size;
  }
  define_list(op, std::move(list));
}

/// The body on each element; other sequences walk along, tensors are the same each time.
void import_map(Op& op) {
  const AttributeProto* body = op.find("body");
  op.check(body != nullptr && body->has_g(), "attribute body is no graph");
  const std::size_t count = list_of(op, 0).size();
  std::vector<std::vector<ValueId>> results(static_cast<std::size_t>(op.outputs()));
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<Entry> inputs;
    for (int input = 0; input < op.inputs(); ++input) {
      const Entry& entry = entry_of(op, input);
      if (entry.kind != Kind::sequence) {
        inputs.push_back(entry);
        continue;
      }
      op.check(entry.sequence.size() == count, "its sequences differ in length");
      inputs.push_back({.tensor = entry.sequence[i]});
    }
    const std::vector<Entry> outputs = op.importer.import_body(op, body->g(), inputs);
    op.check(outputs.size() >= results.size(), "its body has ", outputs.size(), " outputs");
    for (std::size_t output = 0; output < results.size(); ++output)
      results[output].push_back(outputs[output].tensor);
  }
  for (int i = 0; i < op.outputs(); ++i)
    if (op.wants(i))
      op.importer.define(op.frame, op.node.output(i),
                         Entry{.kind = Kind::sequence,
                               .sequence = std::move(results[static_cast<std::size_t>(i)])});
}

void import_optional(Op& op) {
  op.ignore({"type"});
  if (!op.wants(0)) return;
  const bool full = op.inputs() > 0 && !op.node.input(0).empty();
  op.importer.define(op.frame, op.node.output(0),
                     full ? Entry(entry_of(op, 0)) : Entry{.kind = Kind::nothing});
}

void import_get_element(Op& op) {
  const Entry& entry = entry_of(op, 0);
  op.check(entry.kind != Kind::nothing, "the optional is empty");
  if (op.wants(0)) op.importer.define(op.frame, op.node.output(0), Entry(entry));
}

void import_has_element(Op& op) {
  const bool full =
      op.inputs() > 0 && !op.node.input(0).empty() && entry_of(op, 0).kind != Kind::nothing;
  op.out(op.b.scalar(DType::boolean, full));
}

constexpr Adapter kAdapters[] = {
    {"ConcatFromSequence", {11}, import_concat},
    {"Optional", {15}, import_optional},
    {"OptionalGetElement", {15, 18}, import_get_element},
    {"OptionalHasElement", {15, 18}, import_has_element},
    {"SequenceAt", {11}, import_at},
    {"SequenceConstruct", {11}, import_construct},
    {"SequenceEmpty", {11}, import_empty},
    {"SequenceErase", {11}, import_erase},
    {"SequenceInsert", {11}, import_insert},
    {"SequenceLength", {11}, import_length},
    {"SequenceMap", {17}, import_map},
    {"SplitToSequence", {11, 24}, import_split},
};

}  // namespace

std::span<const Adapter> sequence_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
