#include "converters/tflite/recurrence.h"

#include <utility>

#include "converters/tflite/importer.h"

namespace skiff::convert::tfl {
namespace {

/// Steps that are written out.
constexpr std::int64_t kMaxWritten = 32;
/// What the nodes of one step take in memory, generously.
constexpr std::int64_t kStepBytes = 8192;

Shape without(const Shape& shape, int axis) {
  Shape rest;
  for (int i = 0; i < shape.rank(); ++i)
    if (i != axis) rest.push_back(shape[i]);
  return rest;
}

ir::ValueId entry_of(Operation& op, ir::ValueId x, int axis, std::int64_t index) {
  const Shape shape = op.shape_of(x);
  std::vector<std::int64_t> starts(static_cast<std::size_t>(shape.rank()), 0),
      sizes(shape.begin(), shape.end());
  starts[static_cast<std::size_t>(axis)] = index;
  sizes[static_cast<std::size_t>(axis)] = 1;
  return op.reshape(op.slice(x, std::move(starts), std::move(sizes)), without(shape, axis));
}

ir::ValueId with_axis(Operation& op, ir::ValueId x, int axis) {
  Shape shape;
  for (int i = 0; i < op.shape_of(x).rank(); ++i) {
    if (i == axis) shape.push_back(1);
    shape.push_back(op.shape_of(x)[i]);
  }
  return op.reshape(x, shape);
}

Stepped write_out(Operation& op, const Sequence& sequence, std::int64_t steps,
                  const MakeStep& make) {
  op.charge(steps * kStepBytes);
  const Step step = make(op);
  Stepped now{.states = sequence.states};
  std::vector<ir::ValueId> parts(static_cast<std::size_t>(steps));
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::int64_t t = sequence.backwards ? steps - 1 - i : i;
    now = step(entry_of(op, sequence.x, sequence.time, t), now.states);
    parts[static_cast<std::size_t>(t)] = with_axis(op, now.y, sequence.time);
  }
  now.y = concat(op, std::move(parts), sequence.time);
  return now;
}

/// What a scan's node reads, in the order of its operands.
struct Body {
  ir::Graph graph;
  std::vector<ir::ValueId> operands = {};

  ir::ValueId add(const ir::Value& value, ir::ValueId outside, const Shape& shape) {
    operands.push_back(outside);
    return graph.add_input(value.name, value.dtype, shape);
  }
};

/// The operands that the step reads become the body's own constants, or are captured; how many.
int hand_over(Operation& op, const std::vector<int>& numbers, Importer& inner, Body& body) {
  int captured = 0;
  for (int i : numbers) {
    if (!op.has(i)) continue;
    const ir::ValueId outside = op.in(i);
    const ir::Value& value = op.graph().value(outside);
    ir::ValueId inside = ir::kAbsent;
    if (value.constant) {
      op.charge(static_cast<std::int64_t>(value.constant->size()));
      inside = body.graph.add_constant(value.name, value.dtype, value.shape, *value.constant);
    } else {
      inside = body.add(value, outside, value.shape);
      ++captured;
    }
    inner.set(op.source().inputs()->Get(static_cast<flatbuffers::uoffset_t>(i)), inside);
  }
  return captured;
}

Stepped nest(Operation& op, const Sequence& sequence, std::int64_t steps,
             const std::vector<int>& operands, const MakeStep& make) {
  Body body;
  std::vector<ir::ValueId> states;
  for (ir::ValueId state : sequence.states)
    states.push_back(body.add(op.graph().value(state), state, op.graph().value(state).shape));
  const ir::Value& whole = op.graph().value(sequence.x);
  const ir::ValueId x = body.add(whole, sequence.x, without(whole.shape, sequence.time));
  Importer inner(op.importer(), op.importer().model().number(), body.graph);
  Operation at(inner, op.source());
  fb::LoopAttrsT attrs;
  attrs.captures = hand_over(op, operands, inner, body);
  attrs.max_trip_count = steps;
  attrs.scan_inputs = 1;
  attrs.scan_input_axes = attrs.scan_output_axes = {sequence.time};
  attrs.scan_input_reverse = attrs.scan_output_reverse = {sequence.backwards};
  Stepped result = make(at)(x, states);
  body.graph.outputs = result.states;
  body.graph.outputs.push_back(at.add(fb::OpKind::identity, {}, {result.y}));
  const std::size_t outputs = body.graph.outputs.size();
  std::vector<ir::Graph> bodies;
  bodies.push_back(std::move(body.graph));
  const ir::NodeId node =
      op.add_node(fb::OpKind::scan, attrs, std::move(body.operands), outputs, std::move(bodies));
  result.states = op.graph().node(node).outputs;
  result.y = result.states.back();
  result.states.pop_back();
  return result;
}

}  // namespace

Stepped recur(Operation& op, const Sequence& sequence, const std::vector<int>& operands,
              const MakeStep& make) {
  const std::int64_t steps = op.shape_of(sequence.x)[sequence.time];
  op.check(steps > 0, "it has no step");
  return steps <= kMaxWritten ? write_out(op, sequence, steps, make)
                              : nest(op, sequence, steps, operands, make);
}

}  // namespace skiff::convert::tfl
