#pragma once

#include <cstddef>
#include <span>

namespace skiff::model {

/// Checks that the metadata is a FlatBuffer of the schema: every table, vector and string that can
/// be reached lies within the bytes, aligned for its elements, and required fields are there.
/// Afterwards the generated accessors may be used. Takes time linear in the bytes and bounds how
/// deep tables nest, whatever the bytes are. Throws Error{invalid_model}.
void check_structure(std::span<const std::byte> metadata);

}  // namespace skiff::model
