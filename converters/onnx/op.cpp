#include "converters/onnx/op.h"

#include <algorithm>

#include "converters/onnx/importer.h"

namespace skiff::onnx {

Op::Op(const NodeProto& proto, int since, Importer& owner, Frame& where)
    : node(proto), version(since), importer(owner), frame(where), b(owner.builder()) {}

bool Op::has(int i) const {
  return i < inputs() && !node.input(i).empty() &&
         importer.entry(frame, node.input(i)).kind != Entry::Kind::nothing;
}

ValueId Op::in(int i) {
  check(has(i), "input ", i, " is missing");
  return importer.value(frame, node.input(i));
}

const Shape& Op::exported(int i) {
  const Shape* found = importer.exported_shape(frame, node.input(i));
  return found == nullptr ? shape(i) : *found;
}

std::vector<ValueId> Op::all_inputs() {
  std::vector<ValueId> values;
  for (int i = 0; i < inputs(); ++i) values.push_back(in(i));
  return values;
}

void Op::out(int i, ValueId value) {
  if (wants(i)) importer.define(frame, node.output(i), value);
}

const AttributeProto* Op::find(std::string_view name) {
  read_.push_back(name);
  for (const AttributeProto& attribute : node.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.ref_attr_name().empty()) return &attribute;
    if (frame.bindings == nullptr) refuse(message("attribute ", name, " refers to no function"));
    const auto bound = frame.bindings->find(attribute.ref_attr_name());
    return bound == frame.bindings->end() ? nullptr : bound->second;
  }
  return nullptr;
}

void Op::ignore(std::initializer_list<std::string_view> names) {
  read_.insert(read_.end(), names.begin(), names.end());
}

namespace {

void need_type(const Op& op, const AttributeProto& attribute, AttributeProto::AttributeType type,
               const char* what) {
  // Old writers leave the type out.
  op.check(attribute.type() == type || attribute.type() == AttributeProto::UNDEFINED, "attribute ",
           attribute.name(), " is not ", what);
}

}  // namespace

std::int64_t Op::integer(std::string_view name, std::int64_t fallback) {
  const AttributeProto* attribute = find(name);
  if (attribute == nullptr) return fallback;
  need_type(*this, *attribute, AttributeProto::INT, "an integer");
  return attribute->i();
}

std::int64_t Op::integer(std::string_view name) {
  check(has_attr(name), "attribute ", name, " is missing");
  return integer(name, 0);
}

float Op::number(std::string_view name, float fallback) {
  const AttributeProto* attribute = find(name);
  if (attribute == nullptr) return fallback;
  need_type(*this, *attribute, AttributeProto::FLOAT, "a float");
  return attribute->f();
}

std::string Op::text(std::string_view name, std::string_view fallback) {
  const AttributeProto* attribute = find(name);
  if (attribute == nullptr) return std::string(fallback);
  need_type(*this, *attribute, AttributeProto::STRING, "a string");
  return attribute->s();
}

Ints Op::integers(std::string_view name) {
  const AttributeProto* attribute = find(name);
  if (attribute == nullptr) return {};
  need_type(*this, *attribute, AttributeProto::INTS, "a list of integers");
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::vector<float> Op::numbers(std::string_view name) {
  const AttributeProto* attribute = find(name);
  if (attribute == nullptr) return {};
  need_type(*this, *attribute, AttributeProto::FLOATS, "a list of floats");
  return {attribute->floats().begin(), attribute->floats().end()};
}

std::vector<std::string> Op::texts(std::string_view name) {
  const AttributeProto* attribute = find(name);
  if (attribute == nullptr) return {};
  need_type(*this, *attribute, AttributeProto::STRINGS, "a list of strings");
  return {attribute->strings().begin(), attribute->strings().end()};
}

ValueId Op::known(int i, std::string_view what) {
  const ValueId value = in(i);
  if (b.known(value)) return value;
  Refuse refusal{.reason = message(what, " (input ", i, ", '", node.input(i),
                                   "') must be known at conversion"),
                 .help = {},
                 .bind = b.origins(value)};
  if (!refusal.bind.empty()) {
    refusal.help = "fix what it is computed from:";
    for (const std::string& origin : refusal.bind) refusal.help += " --bind " + origin + "=...";
  }
  throw refusal;
}

std::int64_t Op::known_integer(int i, std::string_view what) {
  const Ints numbers = known_integers(i, what);
  check(numbers.size() == 1, what, " has ", numbers.size(), " elements, needs 1");
  return numbers[0];
}

double Op::known_number(int i, std::string_view what) {
  const std::vector<double> numbers = known_numbers(i, what);
  check(numbers.size() == 1, what, " has ", numbers.size(), " elements, needs 1");
  return numbers[0];
}

int Op::axis(std::int64_t axis, int rank) const {
  check(axis >= -rank && axis < rank, "axis ", axis, " is outside a tensor of rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Ints Op::axes(Ints list, int rank) const {
  for (std::int64_t& entry : list) entry = axis(entry, rank);
  std::sort(list.begin(), list.end());
  check(std::adjacent_find(list.begin(), list.end()) == list.end(), "an axis is named twice");
  return list;
}

void Op::refuse(std::string reason, std::string help) const {
  throw Refuse{std::move(reason), std::move(help), {}};
}

void Op::finish() {
  for (const AttributeProto& attribute : node.attribute())
    check(std::find(read_.begin(), read_.end(), attribute.name()) != read_.end(), "attribute ",
          attribute.name(), " has no known meaning here");
}

}  // namespace skiff::onnx
