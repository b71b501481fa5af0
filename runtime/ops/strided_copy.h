#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/ops/parallel.h"
#include "runtime/ops/strided.h"

namespace skiff {

/// Copies every element of a shape from one strided place to another; what transposes, slices,
/// repeats and block rearrangements come down to. Planned once, then run any number of times.
///
/// Strides are in elements; those of `from` may be zero or negative, those of `to` are positive and
/// make it injective. Axes are best given in descending order of `to`'s strides. The two places
/// must not overlap.
class StridedCopy {
 public:
  StridedCopy() = default;
  StridedCopy(std::size_t element_bytes, const Shape& shape, const Strides& from,
              const Strides& to);

  /// `from` and `to` are the places of the element with all indices zero.
  void run(const RunArgs& args, const void* from, void* to) const noexcept;
  const char* algorithm() const noexcept;

 private:
  enum class Kind : std::uint8_t { rows, transposed };

  /// An axis walked inside a tile; strides in bytes.
  struct Axis {
    std::int64_t extent = 1;
    std::int64_t from = 0;
    std::int64_t to = 0;
  };
  struct Tile {
    std::int64_t p_begin, p_end, q_begin, q_end;
  };

  Axis take(StridedLoop<2>& loop, int axis) const noexcept;
  void fold_contiguous(StridedLoop<2>& loop) noexcept;
  void partition() noexcept;
  void copy_tile(const Tile& tile, const std::byte* from, std::byte* to) const noexcept;
  void run_pieces(const RunArgs& args, const std::byte* from, std::byte* to) const noexcept;

  StridedLoop<2> outer_;    ///< what encloses p and q, strides in bytes, last axis a dummy
  Axis p_, q_;              ///< q inside p
  std::int64_t block_ = 0;  ///< bytes moved as one
  std::int64_t tile_p_ = 1, tile_q_ = 1, tiles_q_ = 1, tiles_ = 0;
  std::int64_t grain_ = 1;
  Kind kind_ = Kind::rows;
};

/// Copies `rows` runs of `bytes` each; pitches in bytes.
void copy_rows(const RunArgs& args, const void* from, std::int64_t from_pitch, void* to,
               std::int64_t to_pitch, std::int64_t rows, std::int64_t bytes) noexcept;

/// Writes `count` times the element of `bytes` bytes (at most 8) at `value`.
void fill_elements(void* to, std::int64_t count, const void* value, std::size_t bytes) noexcept;

}  // namespace skiff
