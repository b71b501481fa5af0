#include <algorithm>
#include <bit>

#include "runtime/plan/search.h"

// What a search does once, before it places anything.
namespace skiff::plan {
namespace {

constexpr std::int64_t kFailedStates = 1 << 17;

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

bool same(const Item& a, const Item& b) { return a.s0 == b.s0 && a.s1 == b.s1 && a.size == b.size; }

}  // namespace

Search::Search(std::size_t items, std::int32_t sections, std::pmr::memory_resource& scratch)
    : sections_(sections),
      twin_(items, -1, &scratch),
      low_(items, 0, &scratch),
      start_(items, 0, &scratch),
      raiser_(items, 0, &scratch),
      limit_(at(sections), 0, &scratch),
      live_(at(sections), 0, &scratch),
      bridge_(at(sections), 0, &scratch),
      witness_(at(sections), 0, &scratch),
      member_begin_(at(sections) + 1, 0, &scratch),
      members_(&scratch),
      stack_(&scratch),
      changes_(&scratch),
      late_(&scratch),
      lined_up_(&scratch),
      sorted_(&scratch),
      failed_(&scratch),
      failures_(at(sections), 0, &scratch),
      result_(items, 0, &scratch) {}

void Search::reset_members() {
  std::fill(member_begin_.begin(), member_begin_.end(), 0);
  for (const Item& item : items_) {
    for (std::int32_t s = item.s0; s < item.s1; ++s) ++member_begin_[at(s) + 1];
  }
  for (std::size_t s = 0; s < at(sections_); ++s) member_begin_[s + 1] += member_begin_[s];
  members_.assign(at(member_begin_.back()), 0);
  std::fill(live_.begin(), live_.end(), 0);
  for (std::size_t i = 0; i < items_.size(); ++i) {
    for (std::int32_t s = items_[i].s0; s < items_[i].s1; ++s) {
      members_[at(member_begin_[at(s)] + live_[at(s)]++)] = static_cast<std::int32_t>(i);
    }
  }
  for (std::size_t i = 0; i < items_.size(); ++i) {
    std::size_t j = i;
    while (j > 0 && !same(items_[i], items_[j - 1])) --j;
    twin_[i] = static_cast<std::int32_t>(j) - 1;
    raiser_[i] = static_cast<std::int32_t>(i);
  }
}

void Search::reset() {
  reset_members();
  std::fill(low_.begin(), low_.end(), 0);
  std::fill(limit_.begin(), limit_.end(), capacity_);
  std::fill(bridge_.begin(), bridge_.end(), 0);
  for (const Item& item : items_) {
    for (std::int32_t s = item.s0; s < item.s1; ++s) limit_[at(s)] -= item.size;
    for (std::int32_t s = item.s0; s + 1 < item.s1; ++s) ++bridge_[at(s)];
  }
  for (std::size_t s = 0; s < at(sections_); ++s) {
    witness_[s] = live_[s] > 0 ? members_[at(member_begin_[s])] : 0;
  }
  const std::int64_t states = std::clamp<std::int64_t>(node_limit_, 64, kFailedStates);
  failed_.assign(std::bit_ceil(static_cast<std::size_t>(states)), Failed{0, {kPlaced, kPlaced}});
  suspect_ = 0;
  changes_.clear();
  stack_.clear();
}

Search::Outcome Search::run(std::span<const Item> items, std::int32_t capacity,
                            std::int64_t node_limit) {
  items_ = items;
  capacity_ = capacity;
  nodes_ = 0;
  node_limit_ = node_limit;
  reset();
  if (std::any_of(limit_.begin(), limit_.end(), [](std::int32_t limit) { return limit < 0; })) {
    return Outcome::infeasible;
  }
  const auto count = static_cast<std::int32_t>(items_.size());
  for (std::int32_t i = 0; i < count; ++i) stack_.push_back(i);
  const Verdict verdict = split({0, count, 0, sections_}, {-1, false, {0, -1}, 0});
  if (verdict == Verdict::gave_up) return Outcome::gave_up;
  return verdict == Verdict::found ? Outcome::found : Outcome::infeasible;
}

}  // namespace skiff::plan
