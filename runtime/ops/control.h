#pragma once

#include "runtime/ops/op.h"

// What rules, planning and execution share about nodes with nested graphs; the order of operands
// stands with LoopAttrs in schema/skiff.fbs.
namespace skiff {

/// Turns of a loop inside of loops that a file may ask for, all together.
inline constexpr std::int64_t kMaxTurns = std::int64_t{1} << 24;
inline constexpr int kMaxBodies = 2;
inline constexpr int kMaxNesting = 8;

/// The graphs of the file that a node names as its bodies; how many is returned.
int bodies_of(fb::OpKind op, const void* attributes, std::int32_t (&graphs)[kMaxBodies]) noexcept;

/// How many operands and results of a loop or scan are of which kind.
struct LoopForm {
  int first = 0;   ///< operands before the carried ones: trip count and condition of a loop
  int given = 0;   ///< inputs of the body before the carried ones
  int judged = 0;  ///< outputs of the body before the carried ones
  int carried = 0, scanned = 0, captured = 0, collected = 0;

  int scanned_input(int i) const noexcept { return first + carried + i; }
  int captured_input(int i) const noexcept { return first + carried + scanned + i; }
};
/// May have negative counts when `outputs` or the attributes are not what the rule accepts.
LoopForm loop_form(fb::OpKind op, const fb::LoopAttrs& attrs, std::size_t inputs,
                   std::size_t outputs) noexcept;

/// Entries of a scan's attributes; those that are absent are 0 and false.
std::int64_t entry(const flatbuffers::Vector<std::int64_t>* field, int i) noexcept;
bool entry(const flatbuffers::Vector<std::uint8_t>* field, int i) noexcept;

}  // namespace skiff
