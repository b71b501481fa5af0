#pragma once

#include <string>

#include "converters/convert.h"

namespace skiff::tool {

/// What stands against a model, for standard error: nodes with the same reason and remedy together,
/// by operator. No newline at the end.
std::string refusal_table(const convert::Refused& refused);

/// What a conversion did, for people and as JSON.
std::string summary(const convert::Report& report, const std::string& output);
std::string to_json(const convert::Report& report);

}  // namespace skiff::tool
