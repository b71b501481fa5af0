#pragma once

#include <string>
#include <vector>

namespace skiff::test {

/// Everything in a binary schema (.bfbs) that decides how bytes are read, a line each, sorted:
/// fields of tables (id, type, default, flags), layouts of structs, values of enums, members of
/// unions.
std::vector<std::string> schema_lines(const std::string& binary_schema);

/// The contents of a file; throws std::runtime_error.
std::string read_text(const std::string& path);

}  // namespace skiff::test
