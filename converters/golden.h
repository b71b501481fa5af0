#pragma once

#include <span>
#include <string>

#include "converters/manifest.h"
#include "converters/npy/npy.h"

namespace skiff::convert {

/// The case of "auto" for a graph of fixed sizes: arrays in/NAME with random numbers, and out/NAME
/// with what the graph computes for them. `preprocess`: what says which inputs of uint8 hold
/// pixels, see random_inputs().
npy::Archive own_case(const ir::Graph& graph, std::span<const fb::PreprocessT> preprocess = {});

/// The golden case of an optimised graph. `source`: a .npz file with arrays in/NAME and out/NAME
/// (or plain NAMEs of inputs and outputs), or "auto": random inputs, outputs as computed here; for
/// a graph that was quantised, `floats` is the own_case() of what it was before.
/// Of a graph with symbols the arrays' shapes choose the sizes; "auto" takes the usual ones.
/// Fingerprints of every layer come from computing the graph itself on the case's inputs: a
/// quantised one is held against its own layers, its outputs against those of the floats.
Golden make_golden(const ir::Graph& graph, const std::string& source,
                   std::span<const fb::PreprocessT> preprocess = {}, npy::Archive floats = {});

}  // namespace skiff::convert
