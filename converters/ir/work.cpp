#include "converters/ir/work.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/core/checked.h"

namespace skiff::ir {
namespace {

constexpr std::int64_t kMostRepeatedBytes = 64 * 1024;
constexpr std::int64_t kEndlessWork = std::int64_t{1} << 62;

std::int64_t product(std::int64_t a, std::int64_t b) {
  return std::min(checked_mul(a, b).value_or(kEndlessWork), kEndlessWork);
}

/// Multiply-adds per element of the output.
std::int64_t depth_of(const Graph& graph, const Node& node) {
  const auto shape = [&](std::size_t i) { return graph.value(node.inputs[i]).shape; };
  switch (node.op) {
    case fb::OpKind::conv:
    case fb::OpKind::conv_transpose:
    case fb::OpKind::integer_conv:
      return shape(1).elements(1, shape(1).rank());
    case fb::OpKind::matmul: {
      const bool transposed = node.attrs.get<fb::MatMulAttrs>().transpose_a();
      return shape(0).rank() < 2 ? shape(0).elements()
                                 : shape(0)[shape(0).rank() - (transposed ? 2 : 1)];
    }
    case fb::OpKind::pool: {
      std::int64_t window = 1;
      if (const auto* kernel = node.attrs.get<fb::PoolAttrs>().kernel())
        for (std::int64_t extent : *kernel) window = product(window, extent);
      return window;
    }
    case fb::OpKind::attention:
      return product(2, shape(1)[shape(1).rank() - 2]);
    case fb::OpKind::lrn:
      return node.attrs.get<fb::LrnAttrs>().size();
    case fb::OpKind::rnn:
      return product(4, shape(1).back() + shape(2).back());
    default:
      return 1;
  }
}

}  // namespace

bool worth_folding(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const bool repeats = node.op == fb::OpKind::expand || node.op == fb::OpKind::tile ||
                       node.op == fb::OpKind::one_hot;
  return !repeats || graph.info(node.outputs[0]).bytes() <= kMostRepeatedBytes;
}

namespace {

/// Of all nested graphs, as often as they may run.
std::int64_t nested_work(const Node& node) {
  std::int64_t work = 0;
  for (const Graph& body : node.bodies)
    for (NodeId inner : body.order()) work = std::min(work + work_of(body, inner), kEndlessWork);
  const bool turns = node.op == fb::OpKind::loop || node.op == fb::OpKind::scan;
  return turns ? product(work, node.attrs.get<fb::LoopAttrs>().max_trip_count()) : work;
}

}  // namespace

std::int64_t work_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!node.bodies.empty()) return nested_work(node);
  std::int64_t work = product(graph.value(node.outputs[0]).shape.elements(), depth_of(graph, node));
  for (ValueId input : node.inputs)
    if (input != kAbsent) work = std::min(work + graph.value(input).shape.elements(), kEndlessWork);
  return work;
}

std::int64_t constant_bytes(const Graph& graph) {
  std::vector<char> seen(graph.value_count(), 0);
  std::int64_t sum = 0;
  for (NodeId id : graph.order())
    for (ValueId input : graph.node(id).inputs) {
      if (input == kAbsent || !graph.value(input).constant) continue;
      if (std::exchange(seen[static_cast<std::size_t>(input)], 1) == 0)
        sum += graph.info(input).bytes();
    }
  return sum;
}

}  // namespace skiff::ir
