#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/npy/npy.h"

namespace skiff::convert {

/// A copy of the graph in which every value is a constant: what it computes for these inputs, on
/// the CPU. `inputs` holds an array for every external input, by name, of its dtype and shape;
/// further arrays are ignored. Throws Error{invalid_argument} when one is missing or does not fit,
/// and Error{unsupported} naming a node that cannot be computed, or that counts other results than
/// the graph assumes.
ir::Graph compute(const ir::Graph& graph, const npy::Archive& inputs);

/// The same for a graph with symbols; those that nodes set become what the nodes count.
ir::Graph compute(const ir::Graph& graph, std::vector<std::int64_t>& symbols,
                  const npy::Archive& inputs);

/// Arrays for the external inputs from a generator with a fixed seed: floats in [-1, 1), other
/// dtypes small numbers, but for uint8 inputs that `preprocess` describes: any pixels.
npy::Archive random_inputs(const ir::Graph& graph,
                           std::span<const fb::PreprocessT> preprocess = {});

}  // namespace skiff::convert
