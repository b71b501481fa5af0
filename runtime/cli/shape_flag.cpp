#include "runtime/cli/shape_flag.h"

#include <charconv>

#include "runtime/core/error.h"

namespace skiff::cli {

Shape parse_shape(const std::string& name, const std::string& extents) {
  Shape shape;
  const char* at = extents.data();
  const char* const end = at + extents.size();
  for (;;) {
    std::int64_t value = -1;
    const auto [rest, error] = std::from_chars(at, end, value);
    require(error == std::errc() && value >= 0 && (rest == end || *rest == 'x') &&
                shape.rank() < kMaxRank,
            ErrorCode::invalid_argument, "--shape ", name, "=", extents,
            ": should be NAME=1x3x224x224, with at most ", kMaxRank, " extents");
    shape.push_back(value);
    if (rest == end) return shape;
    at = rest + 1;
  }
}

}  // namespace skiff::cli
