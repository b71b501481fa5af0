#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace skiff::cli {

// Checks of flags that take numbers. Whatever else is given is refused with what would be right,
// which CLI11 by itself does not say.

CLI::Validator whole_number(std::int64_t least,
                            std::int64_t most = std::numeric_limits<std::int64_t>::max());

/// Finite ones.
CLI::Validator real_number(double least, double most = std::numeric_limits<double>::max());

}  // namespace skiff::cli
