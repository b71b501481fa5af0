#include "converters/quantize/measure.h"

#include <algorithm>

#include "converters/compute.h"
#include "converters/distance.h"

namespace skiff::quantize {
namespace {

void count_products(Outcome& outcome, const ir::Graph& graph) {
  const std::vector<Kept> before = outcome.kept;
  for (const ir::NodeId id : graph.order()) {
    const ir::Node& node = graph.node(id);
    if (node.op == fb::OpKind::integer_conv) ++outcome.integer;
    const bool product = node.op == fb::OpKind::conv || node.op == fb::OpKind::matmul;
    if (product && std::ranges::find(before, node.name, &Kept::node) == before.end())
      outcome.kept.push_back({node.name, name_of(node.op), "it multiplies rounded floats"});
  }
}

void compare(Outcome& outcome, const ir::Graph& floats, const ir::Graph& integers,
             const Samples& samples, const Progress& progress) {
  const auto outputs = floats.visible_outputs(), ours = integers.visible_outputs();
  std::vector<convert::Distance> distances(outputs.size());
  samples.for_each([&](const npy::Archive& inputs, double done) {
    progress("comparing with float32", done);
    const ir::Graph expected = convert::compute(floats, inputs),
                    given = convert::compute(integers, inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      distances[i].add(ir::numbers(given.value(ours[i])), ir::numbers(expected.value(outputs[i])));
  });
  for (std::size_t i = 0; i < outputs.size(); ++i)
    outcome.accuracy.push_back({floats.value(outputs[i]).name, distances[i].relative_l2(),
                                distances[i].max_relative(), distances[i].cosine()});
}

}  // namespace

void measure(Outcome& outcome, const ir::Graph& floats, const ir::Graph& integers,
             const Samples& samples, const Progress& progress) {
  count_products(outcome, integers);
  compare(outcome, floats, integers, samples, progress);
}

}  // namespace skiff::quantize
