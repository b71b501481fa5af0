#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/ops/kernel.h"

namespace skiff {

/// What operators that count their results share. Such a result is planned at its largest; a kernel
/// counts first, then writes the result dense at its real size.

/// The number of results for a rule: what was counted or, before that, the most there can be.
inline std::int64_t count_or(const NodeView& node, std::int64_t most) noexcept {
  return node.count < 0 ? most : node.count;
}

/// How many results a kernel's outputs have room for.
inline std::int64_t room_for(const KernelSpec& spec, std::int64_t most) noexcept {
  const std::int64_t planned = spec.widest().count;
  return planned < 0 ? most : planned;
}

/// Reports the number of results. Call before writing any.
inline Status report_count(const RunArgs& args, std::int64_t count, std::int64_t room) noexcept {
  if (count > room) return {ErrorCode::bad_value, "more results than the model has room for"};
  if (args.count != nullptr) *args.count = count;
  return {};
}

}  // namespace skiff
