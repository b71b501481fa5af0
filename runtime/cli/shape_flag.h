#pragma once

#include <skiff/shape.h>

#include <string>

namespace skiff::cli {

/// The extents of `--shape NAME=1x3x224x224`. Throws Error{invalid_argument}, which names the flag.
Shape parse_shape(const std::string& name, const std::string& extents);

}  // namespace skiff::cli
