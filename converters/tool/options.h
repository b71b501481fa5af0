#pragma once

#include <optional>
#include <string>

#include "converters/convert.h"

namespace skiff::tool {

struct Options {
  std::string model;
  std::string output;
  std::string report;
  convert::ConvertOptions convert;
};

/// Reads the command line. Prints help or what is wrong; then nothing is returned and `exit_code`
/// set (0 after --help, 2 for a wrong use).
std::optional<Options> parse_options(int argc, char** argv, int& exit_code);

}  // namespace skiff::tool
