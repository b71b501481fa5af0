#pragma once

#include <skiff/session.h>

#include <nlohmann/json.hpp>
#include <string>

namespace skiff::cli {

using Json = nlohmann::ordered_json;

/// The object `memory`: all but what only a run knows (predicted_total, peak_rss).
Json memory_json(const MemoryReport& memory);

/// The machine, the system and this build.
Json environment_json();

/// A table of the same for people; ends with a line end.
std::string memory_text(const MemoryReport& memory);

/// A row of it.
std::string memory_row(const char* name, std::uint64_t bytes, const std::string& remark);

/// Throws Error{io} where the writing functions below could not begin to write to `target` (as
/// write_json() takes it): for before long work. Leaves nothing.
void check_writable(const std::string& target);

/// Writes the object to `target`: a file, "-" for standard output, "" for nowhere.
void write_json(const Json& json, const std::string& target);

/// [1, 3, 224, 224]
std::string shape_text(const Shape& shape);

/// Replaces the file `path` by `text`.
void write_text(const std::string& path, const std::string& text);

}  // namespace skiff::cli
