#include "runtime/ops/strided_copy.h"

#include <Eigen/Core>
#include <cstring>

#include "runtime/core/checked.h"
#include "runtime/ops/block.h"

namespace skiff {
namespace {

constexpr std::int64_t kPieceBytes = 64 << 10;  // a run beyond this is split among threads

struct Span2 {
  std::int64_t rows, columns;
  std::int64_t from_row, from_column, to_row, to_column;  // bytes
};

template <int kBytes>
void copy_plain(const Span2& s, const std::byte* from, std::byte* to, std::int64_t block) noexcept {
  for (std::int64_t r = 0; r < s.rows; ++r) {
    const std::byte* x = from + r * s.from_row;
    std::byte* y = to + r * s.to_row;
    for (std::int64_t c = 0; c < s.columns; ++c, x += s.from_column, y += s.to_column)
      move_block<kBytes>(y, x, block);
  }
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a vector type as a template's argument
/// A square of the transposition: to[r][c] = from[c][r], both dense inside.
constexpr int kSquare = 4;
void transpose_square(const std::byte* from, std::int64_t from_pitch, std::byte* to,
                      std::int64_t to_pitch) noexcept {
  using Packet = Eigen::internal::Packet4f;
  Eigen::internal::PacketBlock<Packet, kSquare> block;
  for (int i = 0; i < kSquare; ++i)
    block.packet[i] =
        Eigen::internal::ploadu<Packet>(reinterpret_cast<const float*>(from + i * from_pitch));
  Eigen::internal::ptranspose(block);
  for (int i = 0; i < kSquare; ++i)
    Eigen::internal::pstoreu(reinterpret_cast<float*>(to + i * to_pitch), block.packet[i]);
}

/// Three columns, as the planes of a picture, to pixels of three. Whole vectors are stored: the
/// last element is what the next row overwrites, so the last rows are left. Returns the rows done.
std::int64_t interleave_three(const Span2& s, const std::byte* from, std::byte* to) noexcept {
  using Packet = Eigen::internal::Packet4f;
  std::int64_t r = 0;
  for (; r + kSquare < s.rows; r += kSquare) {
    Eigen::internal::PacketBlock<Packet, kSquare> block;
    for (int i = 0; i < 3; ++i)
      block.packet[i] = Eigen::internal::ploadu<Packet>(
          reinterpret_cast<const float*>(from + r * 4 + i * s.from_column));
    block.packet[3] = block.packet[2];
    Eigen::internal::ptranspose(block);
    for (int i = 0; i < kSquare; ++i)
      Eigen::internal::pstoreu(reinterpret_cast<float*>(to + (r + i) * 12), block.packet[i]);
  }
  return r;
}
#pragma GCC diagnostic pop

/// rows are dense in `from`, columns dense in `to`.
template <int kBytes>
void copy_transposed(const Span2& s, const std::byte* from, std::byte* to) noexcept {
  std::int64_t r = 0;
  if constexpr (kBytes == 4) {
    if (s.columns == 3 && s.to_row == 12) r = interleave_three(s, from, to);
    for (; r + kSquare <= s.rows; r += kSquare) {
      const std::byte* x = from + r * kBytes;
      std::byte* y = to + r * s.to_row;
      std::int64_t c = 0;
      for (; c + kSquare <= s.columns; c += kSquare)
        transpose_square(x + c * s.from_column, s.from_column, y + c * kBytes, s.to_row);
      const Span2 rest{kSquare, s.columns - c, kBytes, s.from_column, s.to_row, kBytes};
      copy_plain<kBytes>(rest, x + c * s.from_column, y + c * kBytes, kBytes);
    }
  }
  Span2 rest = s;
  rest.rows -= r;
  copy_plain<kBytes>(rest, from + r * kBytes, to + r * s.to_row, kBytes);
}

}  // namespace

StridedCopy::StridedCopy(std::size_t element_bytes, const Shape& shape, const Strides& from,
                         const Strides& to)
    : block_(static_cast<std::int64_t>(element_bytes)) {
  if (shape.elements() == 0) return;
  Strides from_bytes = from, to_bytes = to;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    from_bytes[at(axis)] *= block_;
    to_bytes[at(axis)] *= block_;
  }
  StridedLoop<2> loop(shape, {from_bytes, to_bytes});
  fold_contiguous(loop);
  q_ = take(loop, loop.rank - 1);
  int p_axis = loop.rank - 1;
  if (q_.to == block_ && q_.from != block_) {
    for (int axis = 0; axis < loop.rank; ++axis) {
      if (loop.strides[0][at(axis)] != block_) continue;
      p_axis = axis;
      kind_ = Kind::transposed;
    }
  }
  p_ = take(loop, p_axis);
  outer_ = loop;
  outer_.extents[at(outer_.rank)] = 1;
  ++outer_.rank;
  partition();
}

/// Innermost elements that lie one behind the other at both places become one block.
void StridedCopy::fold_contiguous(StridedLoop<2>& loop) noexcept {
  const int last = loop.rank - 1;
  if (loop.inner_stride(0) != block_ || loop.inner_stride(1) != block_) return;
  block_ *= loop.extents[at(last)];
  --loop.rank;
}

StridedCopy::Axis StridedCopy::take(StridedLoop<2>& loop, int axis) const noexcept {
  if (axis < 0) return {};
  const Axis taken{loop.extents[at(axis)], loop.strides[0][at(axis)], loop.strides[1][at(axis)]};
  --loop.rank;
  for (int i = axis; i < loop.rank; ++i) {
    loop.extents[at(i)] = loop.extents[at(i + 1)];
    for (auto& strides : loop.strides) strides[at(i)] = strides[at(i + 1)];
  }
  return taken;
}

void StridedCopy::partition() noexcept {
  // Transposed tiles read whole cache lines and write few enough rows at a time.
  constexpr std::int64_t kTransposedRows = 16, kTransposedColumns = 256, kPlainColumns = 4096;
  constexpr std::int64_t kTransposedElements = 4096;
  const std::int64_t cost = copy_cost(block_);
  tile_q_ = std::min(q_.extent, kind_ == Kind::transposed ? kTransposedColumns : kPlainColumns);
  tile_p_ =
      kind_ == Kind::transposed
          ? std::max(kTransposedRows, kTransposedElements / std::max<std::int64_t>(1, tile_q_))
          : grain_for(tile_q_ * cost);
  tile_p_ = std::min(p_.extent, tile_p_);
  tiles_q_ = ceil_div(q_.extent, tile_q_);
  tiles_ = ceil_div(p_.extent, tile_p_) * tiles_q_;
  grain_ = grain_for(tile_p_ * tile_q_ * cost);
}

void StridedCopy::run(const RunArgs& args, const void* from, void* to) const noexcept {
  const auto* x = static_cast<const std::byte*>(from);
  auto* y = static_cast<std::byte*>(to);
  if (block_ > kPieceBytes) return run_pieces(args, x, y);
  if (tiles_ == 0) return;
  parallel_chunks(args, outer_.rows() * tiles_, grain_, [&](std::int64_t begin, std::int64_t end) {
    Odometer<2> place(outer_, begin / tiles_);
    std::int64_t tile = begin % tiles_;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t p = tile / tiles_q_ * tile_p_, q = tile % tiles_q_ * tile_q_;
      copy_tile({p, std::min(p + tile_p_, p_.extent), q, std::min(q + tile_q_, q_.extent)},
                x + place.offset(0), y + place.offset(1));
      if (++tile < tiles_) continue;
      tile = 0;
      place.next();
    }
  });
}

void StridedCopy::copy_tile(const Tile& tile, const std::byte* from, std::byte* to) const noexcept {
  from += tile.p_begin * p_.from + tile.q_begin * q_.from;
  to += tile.p_begin * p_.to + tile.q_begin * q_.to;
  const Span2 s{
      tile.p_end - tile.p_begin, tile.q_end - tile.q_begin, p_.from, q_.from, p_.to, q_.to};
  with_block(block_, [&](auto bytes) {
    if (decltype(bytes)::value > 0 && kind_ == Kind::transposed) {
      copy_transposed<decltype(bytes)::value>(s, from, to);
    } else {
      copy_plain<decltype(bytes)::value>(s, from, to, block_);
    }
  });
}

/// Blocks so large that each is shared among threads.
void StridedCopy::run_pieces(const RunArgs& args, const std::byte* from,
                             std::byte* to) const noexcept {
  Odometer<2> place(outer_, 0);
  for (std::int64_t row = 0; row < outer_.rows(); ++row, place.next())
    for (std::int64_t p = 0; p < p_.extent; ++p)
      copy_rows(args, from + place.offset(0) + p * p_.from, q_.from,
                to + place.offset(1) + p * p_.to, q_.to, q_.extent, block_);
}

const char* StridedCopy::algorithm() const noexcept {
  return kind_ == Kind::transposed ? "tiles" : "rows";
}

void copy_rows(const RunArgs& args, const void* from, std::int64_t from_pitch, void* to,
               std::int64_t to_pitch, std::int64_t rows, std::int64_t bytes) noexcept {
  if (rows == 0 || bytes == 0) return;
  const auto* x = static_cast<const std::byte*>(from);
  auto* y = static_cast<std::byte*>(to);
  if (bytes <= kPieceBytes) {
    parallel_chunks(args, rows, grain_for(copy_cost(bytes)), [&](auto begin, auto end) {
      const Span2 s{1, end - begin, 0, from_pitch, 0, to_pitch};
      with_block(bytes, [&](auto size) {
        copy_plain<decltype(size)::value>(s, x + begin * from_pitch, y + begin * to_pitch, bytes);
      });
    });
    return;
  }
  const std::int64_t pieces = ceil_div(bytes, kPieceBytes);
  parallel_chunks(args, rows * pieces, 4, [&](auto begin, auto end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / pieces, start = i % pieces * kPieceBytes;
      std::memcpy(y + row * to_pitch + start, x + row * from_pitch + start,
                  static_cast<std::size_t>(std::min(kPieceBytes, bytes - start)));
    }
  });
}

void fill_elements(void* to, std::int64_t count, const void* value, std::size_t bytes) noexcept {
  auto* y = static_cast<std::byte*>(to);
  std::byte element[16] = {};  // a copy that `to` cannot alias
  std::memcpy(element, value, bytes);
  const auto block = static_cast<std::int64_t>(bytes);
  with_block(block, [&](auto size) {
    for (std::int64_t i = 0; i < count; ++i)
      move_block<decltype(size)::value>(y + i * block, element, block);
  });
}

}  // namespace skiff
