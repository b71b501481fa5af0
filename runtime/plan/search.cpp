#include "runtime/plan/search.h"

#include <algorithm>
#include <utility>

namespace skiff::plan {
namespace {

bool overlap(const Item& a, const Item& b) { return a.s0 < b.s1 && b.s0 < a.s1; }

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

/// A bijection that spreads its bits; sums of its values tell sets apart.
std::uint64_t mix(std::uint64_t x) {
  x *= 0x9E3779B97F4A7C15ULL;
  x ^= x >> 29;
  x *= 0xBF58476D1CE4E5B9ULL;
  x ^= x >> 32;
  x *= 0x94D049BB133111EBULL;
  return x ^ (x >> 29);
}

}  // namespace

std::uint64_t Search::state_of(const Part& part) const {
  std::uint64_t state = 1;
  for (std::int32_t k = part.base; k < part.base + part.count; ++k) {
    const std::int32_t i = stack_[at(k)];
    const auto low = static_cast<std::uint64_t>(low_[at(i)]);
    state += mix(static_cast<std::uint64_t>(i) << 32 | low);
  }
  return state;
}

Search::Verdict Search::explore(const Part& part, Mark last) {
  if (part.count == 1) {
    const std::size_t only = at(stack_[at(part.base)]);
    result_[only] = low_[only];
    return Verdict::found;
  }
  const std::uint64_t state = state_of(part);
  Failed& known = failed_[state & (failed_.size() - 1)];
  const bool no_earlier = last.offset != known.mark.offset ? last.offset > known.mark.offset
                                                           : last.index >= known.mark.index;
  if (known.state == state && no_earlier) return Verdict::failed;
  const auto begin = stack_.size();
  const Verdict verdict = branch(part, last);
  stack_.resize(begin);
  if (verdict != Verdict::failed && verdict != Verdict::failed_whole) return verdict;
  failed_[state & (failed_.size() - 1)] = {state, last};
  return Verdict::failed;
}

Search::Verdict Search::branch(const Part& part, Mark last) {
  const std::size_t begin = stack_.size();
  const Choice choice = collect(part, last);
  if (choice == Choice::dead_end) return Verdict::failed;
  const std::size_t end = stack_.size();
  Verdict verdict = Verdict::failed;
  for (std::size_t k = begin; k < end && verdict == Verdict::failed; ++k) {
    if (++nodes_ > node_limit_) return Verdict::gave_up;
    const auto changes_from = static_cast<std::int32_t>(changes_.size());
    verdict = descend(part, {stack_[k], choice == Choice::one_free, last, changes_from});
  }
  return verdict;
}

/// Does an unplaced neighbour start under the item's top? The last one found is looked at first.
bool Search::can_be_raised(const Part& part, std::int32_t item) {
  const std::int32_t top = low_[at(item)] + items_[at(item)].size;
  if (low_[at(raiser_[at(item)])] < top && raiser_[at(item)] != item) return true;
  for (std::int32_t k = part.base; k < part.base + part.count; ++k) {
    const std::int32_t other = stack_[at(k)];
    if (low_[at(other)] >= top || other == item) continue;
    if (!overlap(items_[at(other)], items_[at(item)])) continue;
    raiser_[at(item)] = other;
    return true;
  }
  return false;
}

/// Copies what start_when_raised looks at side by side.
void Search::line_up(const Part& part) {
  lined_up_.clear();
  for (std::int32_t k = part.base; k < part.base + part.count; ++k) {
    const std::size_t i = at(stack_[at(k)]);
    lined_up_.push_back({items_[i].s0, items_[i].s1, low_[i], start_[i] + items_[i].size});
  }
}

/// Where the item lined up as number `which` ends up at best when it may not stay at its low: on
/// top of a neighbour that starts under its top. kPlaced when there is none.
std::int32_t Search::start_when_raised(std::size_t which, std::int32_t top) {
  Lined& item = lined_up_[which];
  const std::int32_t low = std::exchange(item.low, kPlaced);
  std::int32_t best = kPlaced;
  for (const Lined& other : lined_up_) {
    const bool raises = (other.s0 < item.s1) & (item.s0 < other.s1) & (other.low < top);
    const std::int32_t end = raises ? other.end : kPlaced;
    best = end < best ? end : best;
  }
  item.low = low;
  return best;
}

/// Pushes the items that may come next, lowest first. An item that no other can raise is placed at
/// once, without alternatives. A dead end is a state in which some item has no place left.
Search::Choice Search::collect(const Part& part, Mark last) {
  std::int32_t ceiling = kPlaced;  // above it, something would fit underneath
  for (std::int32_t k = part.base; k < part.base + part.count; ++k) {
    const std::size_t i = at(stack_[at(k)]);
    ceiling = std::min(ceiling, low_[i] + items_[i].size);
    start_[i] = std::max(low_[i], last.offset);
  }
  if (ceiling <= last.offset) return Choice::dead_end;
  late_.clear();
  const std::size_t begin = stack_.size();
  for (std::int32_t k = part.base; k < part.base + part.count; ++k) {
    const std::int32_t item = stack_[at(k)];
    const std::size_t i = at(item);
    const bool late = low_[i] < last.offset || (low_[i] == last.offset && item < last.index);
    if (!can_be_raised(part, item)) {
      stack_.resize(begin);
      if (late) return Choice::dead_end;
      stack_.push_back(item);
      return Choice::one_free;
    }
    if (late) {
      late_.push_back(k - part.base);
    } else if (low_[i] < ceiling && (twin_[i] < 0 || low_[at(twin_[i])] == kPlaced)) {
      stack_.push_back(item);
    }
  }
  if (!raise_late(part) || !sections_hold(part)) return Choice::dead_end;
  std::sort(stack_.begin() + static_cast<std::ptrdiff_t>(begin), stack_.end(),
            [this](std::int32_t a, std::int32_t b) {
              return low_[at(a)] != low_[at(b)] ? low_[at(a)] < low_[at(b)] : a < b;
            });
  return Choice::several;
}

/// Items that were passed over start where their neighbours let them.
bool Search::raise_late(const Part& part) {
  if (late_.empty()) return true;
  line_up(part);
  for (const std::int32_t k : late_) {
    const std::size_t i = at(stack_[at(part.base + k)]);
    start_[i] = start_when_raised(at(k), low_[i] + items_[i].size);
    if (start_[i] > capacity_ - items_[i].size) return false;
    lined_up_[at(k)].end = start_[i] + items_[i].size;
  }
  return true;
}

bool Search::sections_hold(const Part& part) {
  std::int32_t latest = 0;
  for (std::int32_t k = part.base; k < part.base + part.count; ++k) {
    latest = std::max(latest, start_[at(stack_[at(k)])]);
  }
  const auto fails = [&](std::int32_t s) {
    if (latest <= limit_[at(s)] || section_holds(s)) return false;
    ++failures_[at(s)];
    suspect_ = s;
    return true;
  };
  if (part.left <= suspect_ && suspect_ < part.right && fails(suspect_)) return false;
  for (std::int32_t s = part.left; s < part.right; ++s) {
    if (fails(s)) return false;
  }
  return true;
}

/// For every start x: what starts at x or later must fit between x and the capacity.
bool Search::section_holds(std::int32_t section) {
  sorted_.clear();
  std::int32_t latest = 0;
  const auto end = at(member_begin_[at(section) + 1]);
  for (auto k = at(member_begin_[at(section)]); k < end; ++k) {
    const std::size_t i = at(members_[k]);
    if (low_[i] == kPlaced) continue;
    latest = std::max(latest, start_[i]);
    sorted_.push_back({start_[i], items_[i].size});
  }
  if (latest <= limit_[at(section)]) return true;
  for (std::size_t k = 1; k < sorted_.size(); ++k) {  // few: insertion, the latest first
    const Waiting waiting = sorted_[k];
    std::size_t j = k;
    for (; j > 0 && sorted_[j - 1].start < waiting.start; --j) sorted_[j] = sorted_[j - 1];
    sorted_[j] = waiting;
  }
  std::int32_t total = 0;
  for (const Waiting& waiting : sorted_) {
    total += waiting.size;
    if (waiting.start > capacity_ - total) return false;
  }
  return true;
}

void Search::place(const Part& part, std::int32_t item) {
  const Item& placed = items_[at(item)];
  const std::int32_t offset = low_[at(item)];
  const std::int32_t top = offset + placed.size;
  result_[at(item)] = offset;
  for (std::int32_t s = placed.s0; s < placed.s1; ++s) {
    limit_[at(s)] += placed.size;
    --live_[at(s)];
    if (s + 1 < placed.s1) --bridge_[at(s)];
  }
  for (std::int32_t k = part.base; k < part.base + part.count; ++k) {
    const std::int32_t i = stack_[at(k)];
    if (low_[at(i)] >= top || i == item || !overlap(items_[at(i)], placed)) continue;
    changes_.push_back({i, low_[at(i)]});
    low_[at(i)] = top;
  }
  changes_.push_back({item, offset});
  low_[at(item)] = kPlaced;
}

void Search::undo(std::int32_t item, std::int32_t changes_from) {
  while (changes_.size() > at(changes_from)) {
    low_[at(changes_.back().item)] = changes_.back().low;
    changes_.pop_back();
  }
  const Item& placed = items_[at(item)];
  for (std::int32_t s = placed.s0; s < placed.s1; ++s) {
    limit_[at(s)] -= placed.size;
    ++live_[at(s)];
    if (s + 1 < placed.s1) ++bridge_[at(s)];
  }
}

bool Search::find_witness(std::int32_t section) {
  const auto end = at(member_begin_[at(section) + 1]);
  for (auto k = at(member_begin_[at(section)]); k < end; ++k) {
    if (low_[at(members_[k])] > limit_[at(section)]) continue;
    witness_[at(section)] = members_[k];
    return true;
  }
  return false;
}

/// The cheap half of the section bound: in each section some unplaced item must start low enough
/// for all the unplaced ones above it. The last good one is looked at first.
bool Search::starts_fit(const Part& part, std::int32_t last_offset) {
  for (std::int32_t s = part.left; s < part.right; ++s) {
    if (live_[at(s)] == 0) continue;
    const bool fits = last_offset <= limit_[at(s)] &&
                      (low_[at(witness_[at(s)])] <= limit_[at(s)] || find_witness(s));
    if (fits) continue;
    ++failures_[at(s)];
    return false;
  }
  return true;
}

Search::Verdict Search::descend(const Part& part, Move move) {
  const std::size_t stack_from = stack_.size();
  place(part, move.item);
  const std::int32_t floor = move.free ? move.last.offset : result_[at(move.item)];
  const Verdict verdict = starts_fit(part, floor) ? split(part, move) : Verdict::failed;
  stack_.resize(stack_from);
  undo(move.item, move.changes_from);
  return verdict;
}

/// Pushes the unplaced items of the sections from `section` on, up to the first cut in time.
Search::Part Search::next_piece(const Part& part, std::int32_t placed, std::int32_t section) {
  Part piece{static_cast<std::int32_t>(stack_.size()), 0, section, section + 1};
  while (bridge_[at(piece.right - 1)] > 0) ++piece.right;
  for (std::int32_t k = part.base; k < part.base + part.count; ++k) {
    const std::int32_t i = stack_[at(k)];
    const std::int32_t s0 = items_[at(i)].s0;
    if (i != placed && s0 >= piece.left && s0 < piece.right) stack_.push_back(i);
  }
  piece.count = static_cast<std::int32_t>(stack_.size()) - piece.base;
  return piece;
}

bool Search::touched(const Part& piece, const Part& whole, const Move& move) const {
  if (piece.left == whole.left && piece.right == whole.right) return true;
  for (std::size_t k = at(move.changes_from); k < changes_.size(); ++k) {
    const std::int32_t s0 = items_[at(changes_[k].item)].s0;
    if (changes_[k].item != move.item && s0 >= piece.left && s0 < piece.right) return true;
  }
  return false;
}

/// Solves what is left of a part, piece by piece. A piece that the placement did not touch keeps
/// the older mark; when it fails, it fails wherever the item goes.
Search::Verdict Search::split(const Part& part, const Move& move) {
  for (std::int32_t s = part.left; s < part.right;) {
    if (live_[at(s)] == 0) {
      ++s;
      continue;
    }
    const Part piece = next_piece(part, move.item, s);
    const bool is_touched = move.item >= 0 && touched(piece, part, move);
    const bool moves_on = is_touched && !move.free;
    const Mark mark = moves_on ? Mark{result_[at(move.item)], move.item} : move.last;
    const Verdict verdict = explore(piece, mark);
    stack_.resize(at(piece.base));
    if (verdict == Verdict::gave_up) return verdict;
    if (verdict != Verdict::found) return is_touched ? Verdict::failed : Verdict::failed_whole;
    s = piece.right;
  }
  return Verdict::found;
}

}  // namespace skiff::plan
