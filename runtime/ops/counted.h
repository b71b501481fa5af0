#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/ops/attributes.h"
#include "runtime/ops/kernel.h"
#include "runtime/ops/strided.h"

namespace skiff {

/// What operators that count their results share. Such a result is planned at its largest; a kernel
/// counts first, then writes the result dense at its real size.

/// The number of results for a rule: what was counted or, before that, the most there can be.
inline std::int64_t count_or(const NodeView& node, std::int64_t most) noexcept {
  return node.count < 0 ? most : node.count;
}

/// Slices of x along an axis, or its elements where the axis is -1. Throws Error{invalid_model}.
inline AxisSplit split_or_flat(const NodeView& node, const Shape& x, std::int64_t axis) {
  if (axis == -1) return {1, x.elements(), 1};
  return split_at(x, read_axis(node, axis, x.rank()));
}

/// The shape of `count` such slices; the axis was checked.
inline Shape slices_of(const Shape& x, std::int64_t axis, std::int64_t count) noexcept {
  if (axis == -1) return {count};
  Shape shape = x;
  shape[static_cast<int>(axis)] = count;
  return shape;
}

/// Bytes of bool are compared as numbers: a foreign one may be neither 0 nor 1.
constexpr DType dtype_to_compare(DType dtype) noexcept {
  return dtype == DType::boolean ? DType::uint8 : dtype;
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
