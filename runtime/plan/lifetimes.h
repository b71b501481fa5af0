#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "runtime/plan/problem.h"

namespace skiff::plan {

/// A tensor between steps. Pinned values (constants, external inputs and outputs, state) do not
/// live in the arena and are never aliased.
struct ValueInfo {
  std::int64_t bytes = 0;
  bool pinned = false;
};

/// One executable step; ids index the values, -1 in `reads` stands for an absent optional input.
struct StepInfo {
  std::span<const std::int32_t> reads;
  std::span<const std::int32_t> writes;
  std::int64_t scratch = 0;  ///< bytes live during this step only
};

/// The kernel of `step` may write `output` over `input`.
struct InPlace {
  std::int32_t step, input, output;
};

/// `value` can be the bytes [offset, offset + its size) of `base`: the output of a reshape, split
/// or slice within its input, or the input of a concat within its output. Where granted, the step
/// need not move these bytes.
struct View {
  std::int32_t base, value;
  std::int64_t offset;
};

/// What became of a request.
enum class Alias : std::uint8_t {
  granted,
  pinned,      ///< one of the two is not in the arena
  mismatch,    ///< sizes, offset, or the step does not connect the two this way
  still_used,  ///< bytes would be overwritten that are read later, or shared twice
  wasteful,    ///< legal, but the peak of live bytes would rise
};

/// Stable name, e.g. "still_used".
const char* name_of(Alias alias) noexcept;

struct Place {
  std::int32_t buffer = -1;  ///< -1: not in the arena
  std::int64_t offset = 0;   ///< bytes inside the buffer
};

/// A program made ready for `solve`.
struct Lifetimes {
  explicit Lifetimes(std::pmr::memory_resource& resource)
      : buffers(&resource),
        values(&resource),
        scratch(&resource),
        in_place(&resource),
        views(&resource) {}

  std::pmr::vector<Buffer> buffers;        ///< merged values and scratch
  std::pmr::vector<Place> values;          ///< per value
  std::pmr::vector<std::int32_t> scratch;  ///< per step: its buffer, or -1
  std::pmr::vector<Alias> in_place;        ///< per request
  std::pmr::vector<Alias> views;           ///< per request
  std::int64_t lower_bound = 0;            ///< of `buffers`, sizes rounded up
  std::int64_t lower_bound_unaliased = 0;  ///< had every value a buffer of its own
};

struct Program {
  std::span<const ValueInfo> values;
  std::span<const StepInfo> steps;
  std::span<const InPlace> in_place;  ///< wishes, granted in this order where legal
  std::span<const View> views;        ///< wishes, after the ones above
  std::int64_t alignment = 256;       ///< of buffers
  std::int64_t view_alignment = 64;   ///< offsets of views must be multiples
};

/// Lifetimes of a program in execution order. A value lives from the step that writes it to the
/// last one that reads it, both included: inputs and outputs of a step live together, but for
/// in-place pairs. A buffer lives from the first write to the last use of any value in it.
/// A wish is granted only if no step can read a byte that another value overwrote, and only if it
/// does not raise the lower bound.
/// All memory comes from `resource`. Throws Error{invalid_argument}: ids out of range, a value
/// read before it is written, written twice or never, sizes negative or beyond 2^60 in sum.
Lifetimes lifetimes(const Program& program, std::pmr::memory_resource& resource);

}  // namespace skiff::plan
