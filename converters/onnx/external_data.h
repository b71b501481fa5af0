#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "converters/onnx/onnx.pb.h"

namespace skiff::onnx {

/// The bytes of a tensor that lie in a file of their own. The file must be a regular one beneath
/// `folder` (the model's), reached without a symbolic link and with one name only, and must hold
/// `expected` bytes from the given offset. Keys other than location, offset, length and checksum
/// are refused, so that nothing is read differently than its writer meant. Throws Error.
std::vector<std::byte> read_external_data(const TensorProto& tensor, const std::string& folder,
                                          std::size_t expected, const std::string& what);

/// The locations of all external data in a model, used or not, once each.
std::set<std::string> external_locations(const ModelProto& model);

}  // namespace skiff::onnx
