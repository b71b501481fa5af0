#pragma once

#include <string>

#include "converters/convert.h"

namespace skiff::tool {

/// A table of every node that cannot be converted, for standard error.
std::string refusal_table(const convert::Refused& refused);

/// What a conversion did, for people and as JSON.
std::string summary(const convert::Report& report, const std::string& output);
std::string to_json(const convert::Report& report);

/// A progress bar on standard error when it is a terminal, else nothing.
void show_progress(const char* stage, double done);

}  // namespace skiff::tool
