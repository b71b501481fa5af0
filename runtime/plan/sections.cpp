#include "runtime/plan/sections.h"

#include <algorithm>
#include <numeric>

#include "runtime/core/error.h"

namespace skiff::plan {
namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 60;
constexpr std::int64_t kMaxGrains = std::int64_t{1} << 30;

/// The begin or the end of an item as a number that sorts by step. Ends come first: lifetimes are
/// half-open.
using Event = std::uint64_t;
constexpr Event kBegins = std::uint64_t{1} << 31;
Event event_at(std::int32_t step, Event kind, std::size_t item) {
  return static_cast<Event>(step) << 32 | kind | item;
}

void check(const Problem& problem, std::size_t index) {
  const Buffer& buffer = problem.buffers[index];
  const char* fault = buffer.size < 0           ? "has a negative size"
                      : buffer.size > kMaxBytes ? "is larger than 2^60 bytes"
                      : buffer.first < 0        ? "lives from a negative step"
                      : buffer.end <= buffer.first
                          ? "ends before it begins; lifetimes are [first, end)"
                          : nullptr;
  require(fault == nullptr, ErrorCode::invalid_argument, "plan: buffer ", index, " ", fault);
}

/// Rounded sizes of the buffers with bytes, and their greatest common divisor.
std::pmr::vector<std::int64_t> rounded_sizes(const Problem& problem, Sections& out,
                                             std::pmr::memory_resource& resource) {
  require(problem.alignment >= 1 && problem.alignment <= kMaxBytes, ErrorCode::invalid_argument,
          "plan: the alignment must be in 1..2^60");
  std::pmr::vector<std::int64_t> sizes(&resource);
  sizes.reserve(problem.buffers.size());
  out.buffer_of.reserve(problem.buffers.size());
  std::int64_t sum = 0;
  out.grain = 0;
  for (std::size_t i = 0; i < problem.buffers.size(); ++i) {
    check(problem, i);
    const std::int64_t size = problem.buffers[i].size;
    if (size == 0) continue;
    const std::int64_t units = (size - 1) / problem.alignment + 1;
    require(units < kMaxBytes / problem.alignment && units * problem.alignment <= kMaxBytes - sum,
            ErrorCode::invalid_argument, "plan: the sizes add up to more than 2^60 bytes");
    sizes.push_back(units * problem.alignment);
    out.buffer_of.push_back(static_cast<std::int32_t>(i));
    sum += sizes.back();
    out.grain = std::gcd(out.grain, sizes.back());
  }
  if (out.grain == 0) out.grain = problem.alignment;
  require(sum / out.grain < kMaxGrains, ErrorCode::unsupported, "plan: more than 2^30 grains of ",
          out.grain, " bytes; use a larger alignment");
  return sizes;
}

}  // namespace

Sections make_sections(const Problem& problem, std::pmr::memory_resource& resource) {
  Sections out(resource);
  const auto sizes = rounded_sizes(problem, out, resource);
  const std::size_t count = sizes.size();
  out.items.resize(count);
  out.steps.resize(count);
  std::pmr::vector<Event> events(&resource);
  events.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    const Buffer& buffer = problem.buffers[static_cast<std::size_t>(out.buffer_of[i])];
    out.items[i].size = static_cast<std::int32_t>(sizes[i] / out.grain);
    out.steps[i] = std::int64_t{buffer.end} - buffer.first;
    events.push_back(event_at(buffer.first, kBegins, i));
    events.push_back(event_at(buffer.end, 0, i));
  }
  std::sort(events.begin(), events.end());
  // A section is closed by the first end after a begin: only then is its set a largest one.
  std::int32_t section = 0;
  std::int64_t live = 0;
  bool grown = false;
  for (const Event event : events) {
    Item& item = out.items[event % kBegins];
    if (event & kBegins) {
      item.s0 = section;
      live += item.size;
      grown = true;
      continue;
    }
    if (grown) {
      out.load.push_back(live);
      ++section;
      grown = false;
    }
    item.s1 = section;
    live -= item.size;
  }
  for (const std::int64_t load : out.load) out.lower_bound = std::max(out.lower_bound, load);
  return out;
}

std::int64_t lower_bound(const Problem& problem, std::pmr::memory_resource& scratch) {
  const Sections sections = make_sections(problem, scratch);
  return sections.lower_bound * sections.grain;
}

}  // namespace skiff::plan
