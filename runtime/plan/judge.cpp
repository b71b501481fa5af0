#include "runtime/plan/judge.h"

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

namespace skiff::plan {
namespace {

using Fault = Verdict::Fault;

Fault judge_alone(const Buffer& buffer, std::int64_t offset, std::int64_t alignment,
                  std::int64_t capacity) {
  if (buffer.first < 0 || buffer.first >= buffer.end) return Fault::lifetime;
  if (buffer.size < 0) return Fault::size;
  if (offset < 0 || offset > capacity || buffer.size > capacity - offset) return Fault::range;
  return offset % alignment == 0 ? Fault::none : Fault::alignment;
}

/// A begin or an end of a buffer: its step, which of both, the buffer's index, in 32, 1 and 31
/// bits.
using Moment = std::uint64_t;
constexpr Moment kBegins = std::uint64_t{1} << 31;

/// Begins and ends in time order; ends first, because lifetimes are half-open.
std::pmr::vector<Moment> moments_of(std::span<const Buffer> buffers,
                                    std::pmr::memory_resource& scratch) {
  std::pmr::vector<Moment> moments(&scratch);
  moments.reserve(2 * buffers.size());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].size == 0) continue;
    moments.push_back(static_cast<Moment>(buffers[i].first) << 32 | kBegins | i);
    moments.push_back(static_cast<Moment>(buffers[i].end) << 32 | i);
  }
  std::sort(moments.begin(), moments.end());
  return moments;
}

/// Walks through time with the live buffers ordered by offset. They are disjoint as long as no
/// fault was found, so a newcomer can only collide with its two neighbours.
Verdict judge_overlaps(std::span<const Buffer> buffers, std::span<const std::int64_t> offsets,
                       std::pmr::memory_resource& scratch) {
  const auto lower = [&](std::int32_t a, std::int32_t b) {
    return offsets[static_cast<std::size_t>(a)] < offsets[static_cast<std::size_t>(b)];
  };
  const auto end_of = [&](std::int32_t i) {
    return offsets[static_cast<std::size_t>(i)] + buffers[static_cast<std::size_t>(i)].size;
  };
  std::pmr::set<std::int32_t, decltype(lower)> live(lower, &scratch);
  for (const Moment moment : moments_of(buffers, scratch)) {
    const auto index = static_cast<std::int32_t>(moment % kBegins);
    if ((moment & kBegins) == 0) {
      live.erase(index);
      continue;
    }
    const auto [position, inserted] = live.insert(index);
    if (!inserted) return {Fault::overlap, *position, index};
    if (position != live.begin() &&
        end_of(*std::prev(position)) > offsets[static_cast<std::size_t>(index)]) {
      return {Fault::overlap, *std::prev(position), index};
    }
    const auto above = std::next(position);
    if (above != live.end() && end_of(index) > offsets[static_cast<std::size_t>(*above)]) {
      return {Fault::overlap, index, *above};
    }
  }
  return {};
}

}  // namespace

const char* name_of(Verdict::Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::count:
      return "count";
    case Fault::lifetime:
      return "lifetime";
    case Fault::size:
      return "size";
    case Fault::alignment:
      return "alignment";
    case Fault::range:
      return "range";
    case Fault::overlap:
      return "overlap";
  }
  return "unknown";
}

Verdict valid(const Problem& problem, std::span<const std::int64_t> offsets, std::int64_t capacity,
              std::pmr::memory_resource& scratch) {
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  if (offsets.size() != problem.buffers.size() || offsets.size() > kMost) return {Fault::count};
  if (problem.alignment < 1) return {Fault::alignment};
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const Fault fault = judge_alone(problem.buffers[i], offsets[i], problem.alignment, capacity);
    if (fault != Fault::none) return {fault, static_cast<std::int32_t>(i)};
  }
  return judge_overlaps(problem.buffers, offsets, scratch);
}

}  // namespace skiff::plan
