#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "runtime/plan/lifetimes.h"

namespace skiff::plan {

/// Steps in which a value is written and last read.
struct Life {
  std::int32_t first, last;
};

/// Merges values into shared buffers. Values tied by views form a tree and hold the same bytes
/// where they overlap: within one tree nothing can be overwritten, as long as the inputs of a
/// concat are kept apart. Values of two trees in one buffer (tied by in-place pairs) hold different
/// bytes: where they overlap, their lives must be disjoint, but for the pair itself.
class Aliasing {
 public:
  /// `program` and `lives` must outlive this.
  Aliasing(const Program& program, std::span<const Life> lives,
           std::pmr::memory_resource& resource);

  Alias grant(const InPlace& wish);
  Alias grant(const View& wish);

  /// Largest sum of live bytes (rounded up) over the steps.
  std::int64_t peak() const;

  /// Writes the buffers and the place of each value.
  void write(Lifetimes& out) const;

 private:
  struct Member {
    std::int32_t buffer = -1;  ///< -1: pinned
    std::int32_t tree = -1;    ///< values of one tree hold the same bytes
    std::int32_t parent = -1;  ///< the base it is a view of
    bool part = false;         ///< written before the base, as the input of a concat
    std::int32_t next = -1;    ///< ring of the values in one buffer
    std::int64_t offset = 0;   ///< inside the buffer
  };
  struct Merged {
    Life life;
    std::int64_t bytes;
  };
  /// A proposal: the buffer of `from` is laid into that of `to`, moved by `shift` bytes.
  struct Merge {
    std::int32_t to, from;
    std::int64_t shift;
    bool same_tree;
  };

  bool in_arena(std::int32_t value) const;
  bool reads(std::int32_t step, std::int32_t value) const;
  bool may_share(const Merge& merge, const InPlace* pair) const;
  bool lives_apart(std::int32_t a, std::int32_t b, const InPlace* pair) const;
  bool parts_apart(const View& wish) const;
  bool apply(const Merge& merge);
  void count(const Merged& merged, std::int64_t sign);

  std::int64_t bytes(std::int32_t value) const;
  Life life(std::int32_t value) const { return lives_[static_cast<std::size_t>(value)]; }
  Member& member(std::int32_t value) { return members_[static_cast<std::size_t>(value)]; }
  const Member& member(std::int32_t value) const {
    return members_[static_cast<std::size_t>(value)];
  }

  const Program& program_;
  std::span<const Life> lives_;
  std::pmr::vector<Member> members_;     ///< per value
  std::pmr::vector<Merged> buffers_;     ///< per value that leads a buffer
  std::pmr::vector<std::int64_t> live_;  ///< per step
};

}  // namespace skiff::plan
