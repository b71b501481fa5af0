#include "runtime/ops/control.h"

#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

int bodies_of(fb::OpKind op, const void* attributes, std::int32_t (&graphs)[kMaxBodies]) noexcept {
  if (op == fb::OpKind::if_else) {
    const auto& attrs = *static_cast<const fb::IfAttrs*>(attributes);
    graphs[0] = attrs.then_graph();
    graphs[1] = attrs.else_graph();
    return 2;
  }
  if (op != fb::OpKind::loop && op != fb::OpKind::scan) return 0;
  graphs[0] = static_cast<const fb::LoopAttrs*>(attributes)->body();
  return 1;
}

LoopForm loop_form(fb::OpKind op, const fb::LoopAttrs& attrs, std::size_t inputs,
                   std::size_t outputs) noexcept {
  const bool loop = op == fb::OpKind::loop;
  LoopForm form{.first = loop ? 2 : 0,
                .given = loop ? 2 : 0,
                .judged = loop ? 1 : 0,
                .carried = 0,
                .scanned = attrs.scan_inputs(),
                .captured = attrs.captures(),
                .collected = 0};
  const auto rest =
      static_cast<std::int64_t>(inputs) - form.first - std::int64_t{form.scanned} - form.captured;
  form.carried = static_cast<int>(rest);
  form.collected = static_cast<int>(static_cast<std::int64_t>(outputs) - rest);
  return form;
}

std::int64_t entry(const flatbuffers::Vector<std::int64_t>* field, int i) noexcept {
  const auto index = static_cast<unsigned>(i);
  return field == nullptr || index >= field->size() ? 0 : field->Get(index);
}

bool entry(const flatbuffers::Vector<std::uint8_t>* field, int i) noexcept {
  const auto index = static_cast<unsigned>(i);
  return field != nullptr && index < field->size() && field->Get(index) != 0;
}

namespace {

/// The loader gives a node as many as its operator has: no file decides it.
void need_bodies(const NodeView& node, std::size_t count) {
  if (node.bodies.size() != count)
    fail(ErrorCode::invalid_model, "node '", node.name, "' has ", node.bodies.size(),
         " nested graphs, needs ", count);
}

void check_one(const NodeView& node, const TensorInfo& info, DType dtype, std::string_view what) {
  check(node, info.dtype == dtype && info.elements() == 1, what, " '", info.name, "' is ",
        info.dtype, " ", info.shape, ", must be one ", dtype);
}

/// A value that is handed over between a graph and a nested one.
void check_same(const NodeView& node, const TensorInfo& outer, const TensorInfo& inner) {
  check(node, outer.dtype == inner.dtype && outer.shape == inner.shape, "'", outer.name, "' is ",
        outer.dtype, " ", outer.shape, " and '", inner.name, "' of the nested graph is ",
        inner.dtype, " ", inner.shape);
}

const TensorInfo& at(std::span<const TensorInfo* const> list, int i) noexcept {
  return *list[static_cast<std::size_t>(i)];
}

/// The shape with `extent` put in before `axis`, or that axis taken out.
Shape with_axis(const NodeView& node, const Shape& shape, std::int64_t axis, std::int64_t extent) {
  check(node, shape.rank() < kMaxRank, "what it collects has ", shape.rank(), " axes already");
  check(node, axis >= 0 && axis <= shape.rank(), "it collects along axis ", axis, " of ",
        shape.rank() + 1);
  Shape result;
  for (int i = 0; i <= shape.rank(); ++i) {
    if (i == axis) result.push_back(extent);
    if (i < shape.rank()) result.push_back(shape[i]);
  }
  return result;
}
Shape without_axis(const Shape& shape, std::int64_t axis) {
  Shape result;
  for (int i = 0; i < shape.rank(); ++i)
    if (i != axis) result.push_back(shape[i]);
  return result;
}

void check_scanned(const NodeView& node, const LoopForm& form, std::int64_t turns) {
  const auto& attrs = node.attrs<fb::LoopAttrs>();
  for (int i = 0; i < form.scanned; ++i) {
    const TensorInfo &whole = node.input(form.scanned_input(i)),
                     &slice = at(node.bodies[0].inputs, form.given + form.carried + i);
    const std::int64_t axis = entry(attrs.scan_input_axes(), i);
    check(node, axis >= 0 && axis < whole.shape.rank(), "it scans axis ", axis, " of '", whole.name,
          "', which has ", whole.shape.rank());
    check(node, whole.shape[static_cast<int>(axis)] == turns, "it turns ", turns, " times over '",
          whole.name, "' of ", whole.shape);
    check_same(node,
               {.dtype = whole.dtype, .shape = without_axis(whole.shape, axis), .name = whole.name},
               slice);
  }
}

/// Of both kinds of loops, when the counts of operands and results are right.
void infer_turns(const NodeView& node, const LoopForm& form, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::LoopAttrs>();
  const BodyView& body = node.bodies[0];
  const std::int64_t turns = node.dim(attrs.max_trip_count());
  check(node, turns >= 0 && turns <= kMaxTurns, "it is bounded by ", turns, " turns, at most ",
        kMaxTurns, " are possible");
  for (int i = 0; i < form.carried; ++i) {
    const TensorInfo& start = node.input(form.first + i);
    check_same(node, start, at(body.inputs, form.given + i));
    check_same(node, start, at(body.outputs, form.judged + i));
    outputs[static_cast<std::size_t>(i)] = {.dtype = start.dtype, .shape = start.shape, .name = {}};
  }
  check_scanned(node, form, turns);
  for (int i = 0; i < form.captured; ++i)
    check_same(node, node.input(form.captured_input(i)),
               at(body.inputs, form.given + form.carried + form.scanned + i));
  for (int i = 0; i < form.collected; ++i) {
    const TensorInfo& piece = at(body.outputs, form.judged + form.carried + i);
    outputs[static_cast<std::size_t>(form.carried + i)] = {
        .dtype = piece.dtype,
        .shape = with_axis(node, piece.shape, entry(attrs.scan_output_axes(), i), turns),
        .name = {}};
  }
}

LoopForm checked_form(const NodeView& node, std::size_t outputs) {
  const auto& attrs = node.attrs<fb::LoopAttrs>();
  const std::int64_t most = node.input_count();
  check(node, attrs.scan_inputs() <= most && attrs.captures() <= most, "it scans ",
        attrs.scan_inputs(), " and captures ", attrs.captures(), " of ", most, " inputs");
  const LoopForm form = loop_form(node.op, attrs, node.inputs.size(), outputs);
  need_bodies(node, 1);
  check(node, form.scanned >= 0 && form.captured >= 0 && form.carried >= 0 && form.collected >= 0,
        "it has ", node.inputs.size(), " inputs and ", outputs, " outputs, of which ", form.scanned,
        " are scanned and ", form.captured, " captured");
  const auto inputs =
                 static_cast<std::size_t>(form.given + form.carried + form.scanned + form.captured),
             results = static_cast<std::size_t>(form.judged) + outputs;
  check(node, node.bodies[0].inputs.size() == inputs, "its body has ", node.bodies[0].inputs.size(),
        " inputs, must have ", inputs);
  check(node, node.bodies[0].outputs.size() == results, "its body has ",
        node.bodies[0].outputs.size(), " outputs, must have ", results);
  return form;
}

}  // namespace

void infer_if_else(const NodeView& node, std::span<TensorInfo> outputs) {
  need_bodies(node, 2);
  check_one(node, node.input(0), DType::boolean, "condition");
  for (const BodyView& branch : node.bodies) {
    check(node, branch.inputs.size() + 1 == node.inputs.size(), "it captures ",
          node.inputs.size() - 1, " values, a branch takes ", branch.inputs.size());
    for (int i = 1; i < node.input_count(); ++i)
      check_same(node, node.input(i), at(branch.inputs, i - 1));
    check(node, branch.outputs.size() == outputs.size(), "it has ", outputs.size(),
          " outputs, a branch gives ", branch.outputs.size());
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorInfo& result = *node.bodies[0].outputs[i];
    check_same(node, result, *node.bodies[1].outputs[i]);
    outputs[i].dtype = result.dtype;
    outputs[i].shape = result.shape;
  }
}

void infer_loop(const NodeView& node, std::span<TensorInfo> outputs) {
  const LoopForm form = checked_form(node, outputs.size());
  check(node, form.scanned == 0, "a loop scans no inputs");
  check_one(node, node.input(0), DType::int64, "trip count");
  check_one(node, node.input(1), DType::boolean, "condition");
  check_one(node, at(node.bodies[0].inputs, 0), DType::int64, "number of the turn");
  check_one(node, at(node.bodies[0].inputs, 1), DType::boolean, "condition");
  check_one(node, at(node.bodies[0].outputs, 0), DType::boolean, "condition");
  infer_turns(node, form, outputs);
}

void infer_scan(const NodeView& node, std::span<TensorInfo> outputs) {
  const LoopForm form = checked_form(node, outputs.size());
  check(node, form.scanned >= 1, "a scan needs an input to scan");
  infer_turns(node, form, outputs);
}

void infer_read_variable(const NodeView& node, std::span<TensorInfo> outputs) {
  infer_identity(node, outputs);
}

void infer_assign_variable(const NodeView& node, std::span<TensorInfo> outputs) {
  check_same(node, node.input(0), node.input(1));
  infer_identity(node, outputs);
}

}  // namespace skiff
