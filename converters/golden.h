#pragma once

#include <span>
#include <string>

#include "converters/manifest.h"
#include "converters/npy/npy.h"

namespace skiff::convert {

/// The golden case of an optimised graph. `source`: a .npz file with arrays in/NAME and out/NAME
/// (or plain NAMEs of inputs and outputs), or "auto": random inputs, outputs as computed here.
/// Of a graph with symbols the arrays' shapes choose the sizes; "auto" takes the usual ones.
/// Fingerprints of every layer come from computing the graph on the case's inputs.
/// `preprocess`: what says which inputs of uint8 hold pixels, see random_inputs().
Golden make_golden(const ir::Graph& graph, const std::string& source,
                   std::span<const fb::PreprocessT> preprocess = {});

}  // namespace skiff::convert
