#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

// Each moves transposes in one way through the whole graph and says whether it changed anything.

/// Transposes below the operators that read them, so that they meet their inverses at the next
/// channels-last operator; two in a row become one or none.
bool sink_transposes(Graph& graph);
/// Transposes above the operators before them where they end at an external input or an inverse.
bool raise_transposes(Graph& graph);
/// Transposes and flattenings of image axes before a product with constants go into the constants.
bool absorb_transposes(Graph& graph);
/// Transposes that move axes of extent 1 only become reshapes.
bool unit_transposes(Graph& graph);

/// sink, raise and absorb until nothing moves.
bool layout(Graph& graph);

}  // namespace skiff::passes
