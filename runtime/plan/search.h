#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

namespace skiff::plan {

/// A buffer inside the exact search: a range of sections instead of steps, size in grains.
struct Item {
  std::int32_t s0 = 0;  ///< first section
  std::int32_t s1 = 0;  ///< one past the last section
  std::int32_t size = 0;
};

/// Depth-first branch and bound for one capacity, on ideas of M. Moffitt, "MiniMalloc" (ASPLOS
/// 2023): only packings pushed to the bottom are explored, placed in order of (offset, index); a
/// branch ends when a section cannot hold what is left, or when a buffer would fit under the one
/// being placed; what falls apart in time is solved apart. Own additions: the section bound sees
/// every start and not only the lowest, a passed-over buffer starts above the one that must raise
/// it, failed states are remembered, and failures are counted per section to guide later orders.
///
/// Every cut keeps a packing of least sum of offsets; so when nothing is found and the limit was
/// not reached, no packing exists (failed states are recognised by a 64-bit hash).
class Search {
 public:
  enum class Outcome : std::uint8_t { found, infeasible, gave_up };

  /// All memory comes from `scratch`.
  Search(std::size_t items, std::int32_t sections, std::pmr::memory_resource& scratch);

  /// Packs `items`, whose order is the order in which equal offsets are tried, below `capacity`.
  /// Deterministic: the limit counts placements. `items` must live until offsets() was read.
  Outcome run(std::span<const Item> items, std::int32_t capacity, std::int64_t node_limit);

  std::span<const std::int32_t> offsets() const noexcept { return result_; }
  std::int64_t nodes() const noexcept { return nodes_; }
  /// How often each section ended a branch; the caller may let it fade between runs.
  std::span<std::int64_t> failures() noexcept { return failures_; }

 private:
  /// Unplaced items stack_[base, base + count) that fill the sections [left, right) without a cut.
  struct Part {
    std::int32_t base, count, left, right;
  };
  /// Offset and index of the last placement; the next ones come after it.
  struct Mark {
    std::int32_t offset, index;
  };
  /// One placement: the offset is low_[item]; `free` ones are in nobody's way.
  struct Move {
    std::int32_t item;
    bool free;
    Mark last;
    std::int32_t changes_from;
  };
  struct Change {
    std::int32_t item, low;
  };
  struct Lined {
    std::int32_t s0, s1, low, end;
  };
  struct Waiting {
    std::int32_t start, size;
  };
  struct Failed {
    std::uint64_t state;
    Mark mark;
  };
  enum class Verdict : std::uint8_t { found, failed, failed_whole, gave_up };
  enum class Choice : std::uint8_t { dead_end, one_free, several };

  static constexpr std::int32_t kPlaced = INT32_MAX;

  void reset();
  void reset_members();
  Verdict explore(const Part& part, Mark last);
  Verdict branch(const Part& part, Mark last);
  Verdict descend(const Part& part, Move move);
  Verdict split(const Part& part, const Move& move);
  Part next_piece(const Part& part, std::int32_t placed, std::int32_t section);
  bool touched(const Part& piece, const Part& whole, const Move& move) const;
  Choice collect(const Part& part, Mark last);
  bool can_be_raised(const Part& part, std::int32_t item);
  bool raise_late(const Part& part);
  void line_up(const Part& part);
  std::int32_t start_when_raised(std::size_t which, std::int32_t top);
  bool sections_hold(const Part& part);
  bool section_holds(std::int32_t section);
  void place(const Part& part, std::int32_t item);
  void undo(std::int32_t item, std::int32_t changes_from);
  bool starts_fit(const Part& part, std::int32_t last_offset);
  bool find_witness(std::int32_t section);
  std::uint64_t state_of(const Part& part) const;

  std::span<const Item> items_;
  std::int32_t sections_;
  std::int32_t capacity_ = 0;
  std::int64_t nodes_ = 0;
  std::int64_t node_limit_ = 0;
  std::int32_t suspect_ = 0;                ///< the section that failed last
  std::pmr::vector<std::int32_t> twin_;     ///< previous item of the same range and size, or -1
  std::pmr::vector<std::int32_t> low_;      ///< lowest offset left; kPlaced when placed
  std::pmr::vector<std::int32_t> start_;    ///< bound on the offset in the state being looked at
  std::pmr::vector<std::int32_t> raiser_;   ///< a neighbour that may raise the item, or itself
  std::pmr::vector<std::int32_t> limit_;    ///< per section: highest start that still fits all
  std::pmr::vector<std::int32_t> live_;     ///< per section: unplaced items
  std::pmr::vector<std::int32_t> bridge_;   ///< per section: unplaced items also in the next one
  std::pmr::vector<std::int32_t> witness_;  ///< per section: an unplaced item that starts in time
  std::pmr::vector<std::int32_t> member_begin_, members_;  ///< items of each section
  std::pmr::vector<std::int32_t> stack_;
  std::pmr::vector<Change> changes_;
  std::pmr::vector<std::int32_t> late_;  ///< positions in the part of items passed over
  std::pmr::vector<Lined> lined_up_;
  std::pmr::vector<Waiting> sorted_;  ///< scratch of section_holds
  std::pmr::vector<Failed> failed_;
  std::pmr::vector<std::int64_t> failures_;
  std::pmr::vector<std::int32_t> result_;
};

}  // namespace skiff::plan
