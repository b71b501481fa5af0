#pragma once

#include <string>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::precision {

/// A float32 constant as a 16-bit float.
struct Rounded {
  std::vector<std::byte> bytes;
  std::string loss;    ///< why the constant had better stay as it is; empty: it is as good
  bool finite = true;  ///< no finite number became infinite
};

/// Rounds to nearest even. Too much is lost when a finite number becomes infinite, or when the
/// relative L2 error is beyond what rounding of normal numbers gives (numbers near zero vanish).
Rounded round_constant(const ir::Value& constant, DType type);

/// The largest finite number of the type.
double largest_of(DType type) noexcept;

}  // namespace skiff::precision
