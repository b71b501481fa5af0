#include "runtime/plan/lifetimes.h"

#include <algorithm>

#include "runtime/core/error.h"
#include "runtime/plan/aliasing.h"

namespace skiff::plan {
namespace {

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

[[noreturn]] void refuse(const char* what, std::size_t index, const char* why) {
  fail(ErrorCode::invalid_argument, "plan: ", what, " ", index, " ", why);
}

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 60;

void check_sizes(const Program& program) {
  std::int64_t sum = 0;
  const auto add = [&](const char* what, std::size_t index, std::int64_t bytes) {
    if (bytes < 0) refuse(what, index, "has a negative size");
    if (bytes > kMaxBytes - sum) refuse(what, index, "brings the sum of sizes beyond 2^60");
    sum += bytes;
  };
  if (program.alignment < 1 || program.view_alignment < 1 || program.alignment > (1 << 20)) {
    refuse("alignment", static_cast<std::size_t>(0), "must be in 1..2^20");
  }
  for (std::size_t v = 0; v < program.values.size(); ++v) {
    add("value", v, program.values[v].bytes);
    add("value", v, program.alignment);  // what rounding up may cost
  }
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    add("scratch of step", s, program.steps[s].scratch);
    add("scratch of step", s, program.alignment);
  }
}

/// First and last step of every value in the arena; {-1, -1} for the others.
std::pmr::vector<Life> lives_of(const Program& program, std::pmr::memory_resource& resource) {
  std::pmr::vector<Life> lives(program.values.size(), Life{-1, -1}, &resource);
  const auto checked = [&](std::int32_t value, std::size_t step) {
    if (value < 0 || at(value) >= lives.size()) refuse("step", step, "names a value out of range");
    return at(value);
  };
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const auto step = static_cast<std::int32_t>(s);
    for (const std::int32_t value : program.steps[s].reads) {
      if (value == -1) continue;
      const std::size_t v = checked(value, s);
      if (program.values[v].pinned) continue;
      if (lives[v].first < 0) refuse("value", v, "is read before it is written");
      lives[v].last = step;
    }
    for (const std::int32_t value : program.steps[s].writes) {
      const std::size_t v = checked(value, s);
      if (program.values[v].pinned) continue;
      if (lives[v].first >= 0) refuse("value", v, "is written twice");
      lives[v] = {step, step};
    }
  }
  for (std::size_t v = 0; v < lives.size(); ++v) {
    if (lives[v].first < 0 && !program.values[v].pinned) refuse("value", v, "is never written");
  }
  return lives;
}

}  // namespace

const char* name_of(Alias alias) noexcept {
  switch (alias) {
    case Alias::granted:
      return "granted";
    case Alias::pinned:
      return "pinned";
    case Alias::mismatch:
      return "mismatch";
    case Alias::still_used:
      return "still_used";
    case Alias::wasteful:
      return "wasteful";
  }
  return "unknown";
}

Lifetimes lifetimes(const Program& program, std::pmr::memory_resource& resource) {
  check_sizes(program);
  const auto lives = lives_of(program, resource);
  Lifetimes out(resource);
  Aliasing aliasing(program, lives, resource);
  out.lower_bound_unaliased = aliasing.peak();
  out.in_place.reserve(program.in_place.size());
  out.views.reserve(program.views.size());
  for (const InPlace& wish : program.in_place) out.in_place.push_back(aliasing.grant(wish));
  for (const View& wish : program.views) out.views.push_back(aliasing.grant(wish));
  out.lower_bound = aliasing.peak();
  aliasing.write(out);
  out.scratch.assign(program.steps.size(), -1);
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    if (program.steps[s].scratch == 0) continue;
    out.scratch[s] = static_cast<std::int32_t>(out.buffers.size());
    const auto step = static_cast<std::int32_t>(s);
    out.buffers.push_back({step, step + 1, program.steps[s].scratch});
  }
  return out;
}

}  // namespace skiff::plan
