#pragma once

#include <string>
#include <vector>

#include "converters/convert.h"

namespace skiff::convert {

/// What the caller says of pictures and answers: --task, then --mean, --std and --color for the
/// first input, in the layout of the source's format. Throws Error{invalid_argument} naming the
/// input where that does not fit the graph, so that no file is written that cannot be loaded.
void describe(const ConvertOptions& options, const Source& source, const ir::Graph& graph,
              Manifest& manifest);

/// The lines of a text file. Throws Error{not_found, io} where it cannot be read, and
/// Error{invalid_argument} where there are none.
std::vector<std::string> read_labels(const std::string& path);

}  // namespace skiff::convert
