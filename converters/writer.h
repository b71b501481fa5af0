#pragma once

#include <cstddef>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/manifest.h"

namespace skiff::convert {

/// The bytes of a .skiff file. Nothing but graph and manifest decides them: same arguments, same
/// bytes. Identical constants are stored once, buffers stand in order of first use. Throws
/// Error{unsupported} where the format's limits are passed.
std::vector<std::byte> write_model(const ir::Graph& graph, const Manifest& manifest);

}  // namespace skiff::convert
