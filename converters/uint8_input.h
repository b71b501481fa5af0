#pragma once

#include <vector>

#include "converters/ir/graph.h"

namespace skiff::convert {

/// --uint8-input: every input that `preprocess` describes, float32 of four axes, becomes uint8
/// [N, H, W, C] under the same name; the graph begins with what preprocessing did to pixels, and
/// `preprocess`, which describe() made, is left to say that they stay as they are. Throws
/// Error{invalid_argument} where nothing describes a picture and Error{unsupported} for an input
/// that cannot be one of pixels.
void take_pixels(ir::Graph& graph, std::vector<fb::PreprocessT>& preprocess);

}  // namespace skiff::convert
