#include "runtime/plan/solve.h"

#include <algorithm>

#include "runtime/plan/greedy.h"
#include "runtime/plan/orders.h"
#include "runtime/plan/search.h"
#include "runtime/plan/sections.h"

namespace skiff::plan {
namespace {

constexpr std::size_t kMaxItems = 1024;      // the search recurses once for each item
constexpr std::int64_t kFirstLimit = 1'000;  // placements in one run; then growing
constexpr std::int32_t kCapacitiesPerRound = 8;

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

/// Narrows the heights that are still open, [low, best.height), by runs of the exact search.
class Narrowing {
 public:
  Narrowing(const Sections& sections, Packing& best, std::int64_t node_limit,
            std::pmr::memory_resource& scratch)
      : best_(best),
        left_(node_limit),
        node_limit_(node_limit),
        low_(static_cast<std::int32_t>(sections.lower_bound)),
        orders_(sections, scratch),
        search_(sections.items.size(), sections.count(), scratch) {}

  /// Looks for a packing of at most `capacity` until one is found, proved impossible, or no
  /// placements are left.
  void reach(std::int32_t capacity) {
    warm_up(capacity);
    while (best_.height > capacity && low_ <= capacity && left_ > 0) {
      attempt(capacity);
      grow();
    }
  }

  /// Looks for the least height: first at the lower bound, then over a sweep of capacities, for a
  /// search succeeds at some and not at others nearby.
  void minimize() {
    warm_up(low_);
    while (low_ < best_.height && left_ > 0) {
      attempt(low_);
      for (std::int32_t k = 1; k < kCapacitiesPerRound && low_ < best_.height; ++k) {
        const std::int32_t open = best_.height - 1 - low_;
        attempt(low_ +
                static_cast<std::int32_t>(std::int64_t{open} * k / (kCapacitiesPerRound - 1)));
      }
      grow();
    }
  }

  /// Heights below are proved impossible.
  std::int32_t low() const noexcept { return low_; }
  std::int64_t nodes() const noexcept { return node_limit_ - left_; }

 private:
  void grow() {
    limit_ += limit_ / 16;
    for (std::int64_t& failures : search_.failures()) failures -= failures / 8;
  }

  /// The best classical order gets a longer run than its turn in the rounds; it leaves no trace.
  void warm_up(std::int32_t capacity) {
    limit_ = 2 * kFirstLimit;
    attempt(capacity);
    limit_ = kFirstLimit;
    round_ = 0;
    std::fill(search_.failures().begin(), search_.failures().end(), 0);
  }

  void attempt(std::int32_t capacity) {
    if (left_ <= 0) return;
    const auto items = orders_.make(round_++, search_.failures());
    const auto outcome = search_.run(items, capacity, std::min(limit_, left_));
    left_ -= search_.nodes() + 1;
    if (outcome == Search::Outcome::infeasible) low_ = std::max(low_, capacity + 1);
    if (outcome != Search::Outcome::found) return;
    best_.height = 0;
    for (std::size_t k = 0; k < items.size(); ++k) {
      best_.offsets[at(orders_.from(k))] = search_.offsets()[k];
      best_.height = std::max(best_.height, search_.offsets()[k] + items[k].size);
    }
  }

  Packing& best_;
  std::int64_t left_, node_limit_;
  std::int64_t limit_ = kFirstLimit;
  std::int32_t low_;
  std::int32_t round_ = 0;
  Orders orders_;
  Search search_;
};

Certificate certificate(const Packing& best, const Sections& sections, std::int64_t low) {
  if (best.height <= sections.lower_bound) return Certificate::equals_lower_bound;
  return low >= best.height ? Certificate::proved_minimal : Certificate::unproved;
}

}  // namespace

const char* name_of(Certificate certificate) noexcept {
  switch (certificate) {
    case Certificate::equals_lower_bound:
      return "equals_lower_bound";
    case Certificate::proved_minimal:
      return "proved_minimal";
    case Certificate::unproved:
      break;
  }
  return "unproved";
}

Solution solve(const Problem& problem, const Options& options, std::pmr::memory_resource& resource,
               std::pmr::memory_resource& scratch) {
  Solution solution(resource);
  solution.offsets.assign(problem.buffers.size(), 0);
  const Sections sections = make_sections(problem, scratch);
  solution.lower_bound = sections.lower_bound * sections.grain;
  const std::int64_t capacity = problem.capacity / sections.grain;
  const bool bounded = problem.capacity > 0;
  Packing best = greedy(sections, std::max(sections.lower_bound, capacity), scratch);
  if (sections.items.empty()) best.height = 0;
  std::int64_t low = sections.lower_bound;
  const std::int64_t enough = bounded ? capacity : sections.lower_bound;
  const bool reachable = !bounded || capacity >= sections.lower_bound;
  if (best.height > enough && reachable && sections.items.size() <= kMaxItems) {
    Narrowing narrowing(sections, best, options.node_limit, scratch);
    bounded ? narrowing.reach(static_cast<std::int32_t>(capacity)) : narrowing.minimize();
    low = narrowing.low();
    solution.nodes = narrowing.nodes();
  }
  for (std::size_t i = 0; i < sections.items.size(); ++i) {
    solution.offsets[at(sections.buffer_of[i])] = best.offsets[i] * sections.grain;
  }
  solution.height = best.height * sections.grain;
  solution.certificate = certificate(best, sections, low);
  solution.fits = !bounded || solution.height <= problem.capacity;
  solution.infeasible = bounded && low > capacity;
  return solution;
}

Solution solve(const Problem& problem, const Options& options,
               std::pmr::memory_resource& resource) {
  return solve(problem, options, resource, resource);
}

Solution solve_at(const Problem& problem, std::int64_t capacity, const Options& options,
                  std::pmr::memory_resource& resource) {
  Problem bounded = problem;
  bounded.capacity = capacity;
  return solve(bounded, options, resource, resource);
}

}  // namespace skiff::plan
