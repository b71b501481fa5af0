#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "converters/compute.h"
#include "converters/ir/graph.h"
#include "converters/passes/passes.h"

namespace skiff::testing {

using ir::Graph;
using ir::ValueId;

/// Short ways to build small graphs.
ValueId constant(Graph& graph, const Shape& shape, const std::vector<float>& numbers);
/// Numbers that differ from each other, from a fixed generator, in [low, high).
ValueId random_constant(Graph& graph, const Shape& shape, float low = -1, float high = 1);
ValueId transpose(Graph& graph, ValueId x, const std::vector<std::int64_t>& perm);
ValueId reshape(Graph& graph, ValueId x, const Shape& to);
ValueId unary(Graph& graph, fb::UnaryFunction function, ValueId x, float alpha = 0, float beta = 0);
ValueId binary(Graph& graph, fb::BinaryFunction function, ValueId a, ValueId b);
ValueId reduce(Graph& graph, fb::ReduceFunction function, ValueId x,
               const std::vector<std::int64_t>& axes);
/// A channels-first convolution as the ONNX importer writes it, "same" padding.
ValueId nchw_conv(Graph& graph, ValueId x, std::int64_t channels, std::int64_t window = 3);

std::size_t count(const Graph& graph, fb::OpKind op);
/// Transposes that are neither at an external input nor at an output.
std::size_t inner_transposes(const Graph& graph);

/// Runs the pass (or all passes) with the invariants checked, and expects the graph to compute what
/// it computed before, to `tolerance` of the largest magnitude.
void optimise(Graph& graph, bool (*pass)(Graph&), double tolerance = 1e-5);
void optimise(Graph& graph, double tolerance = 1e-5);

}  // namespace skiff::testing
