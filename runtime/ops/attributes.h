#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/ops/op.h"

namespace skiff {

/// Helpers of the operators' rules. All throw Error{invalid_model} that names node and field.

/// A vector field marked "dim" as a shape: present, rank at most kMaxRank, extents not negative.
Shape read_dims(const NodeView& node, const flatbuffers::Vector<std::int64_t>* field,
                std::string_view what);

/// A vector field of exactly `count` numbers, each in [least, most]; copied to `to`. An absent
/// field gives `count` times `fallback`.
void read_numbers(const NodeView& node, const flatbuffers::Vector<std::int64_t>* field, int count,
                  std::int64_t least, std::int64_t most, std::int64_t fallback,
                  std::string_view what, std::span<std::int64_t> to);

/// An axis attribute that must lie in [0, rank).
int read_axis(const NodeView& node, std::int64_t axis, int rank, std::string_view what = "axis");

/// What fails a rule. The message starts with node and operator.
[[noreturn, gnu::cold]] void fail_rule(const NodeView& node, std::uint64_t kinds, ...);

/// Fails unless the condition holds.
template <typename... Pieces>
[[gnu::always_inline]] inline void check(const NodeView& node, bool condition,
                                         const Pieces&... parts) {
  if (!condition) [[unlikely]]
    fail_rule(node, pieces::kKinds<Pieces...>, pieces::passed(parts)...);
}

/// What the products of a conv or matmul may be added in.
void check_sums(const NodeView& node, fb::DType sums);

/// numpy broadcasting of two shapes.
Shape broadcast(const NodeView& node, const Shape& a, const Shape& b);

}  // namespace skiff
