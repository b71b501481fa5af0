#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/cpu/tiling.h"

namespace skiff::cpu {

/// Winograd's convolution of 3x3 windows with stride 1, F(m x m, 3x3) with m = 2 or 4: (m + 2)^2
/// products of [tiles][cin] with [cin][cout] instead of nine of [m^2 tiles][cin], between
/// transforms of input and output. Weights take (m + 2)^2 / 9 of their room.
///
/// Error: relative to the sum of |x w| over a tile's patch at most about 30 units in the last
/// place with m = 4, 8 with m = 2.
struct WinogradPlan {
  std::int64_t tile = 4;   ///< m
  std::int64_t tiles = 0;  ///< of all images
  std::int64_t block = 1;  ///< tiles a task transforms at a time
  std::int64_t group = 1;  ///< panels a task multiplies with
  std::int64_t room = 0;   ///< elements of scratch a thread
  bool streams = false;    ///< ConvArgs::streams
  PanelLayout layout;      ///< of one product's weights

  std::int64_t products() const noexcept { return (tile + 2) * (tile + 2); }
  std::int64_t blocks() const noexcept { return ceil_div(tiles, block); }
  std::int64_t groups() const noexcept { return ceil_div(layout.panels(), group); }
  std::int64_t tasks() const noexcept { return blocks() * groups(); }
  /// Columns of a task's products, those of missing channels too.
  std::int64_t group_columns() const noexcept {
    return std::min(layout.padded_columns(), group * layout.wide());
  }
  /// Elements of a block's transformed input.
  std::int64_t input_elements(std::int64_t cin) const noexcept {
    return products() * round_up(block * cin, layout.lanes);
  }
};

/// Tiles of `images` outputs of height h and width w.
std::int64_t winograd_tiles(std::int64_t tile, std::int64_t images, std::int64_t h,
                            std::int64_t w) noexcept;

struct WinogradChoice {
  std::int64_t tile = 0;   ///< 0: the direct form is better
  std::int64_t saved = 0;  ///< vector multiply-adds, over the direct form
};

/// The tile that is the fastest by the cost model, transforms and the reading of weights included.
/// Depends on shapes alone: the sums of another tile are others.
/// `half`: the direct form would multiply in float16, twice as fast.
WinogradChoice choose_winograd(const KernelTable& table, std::int64_t images, std::int64_t h,
                               std::int64_t w, std::int64_t cin, std::int64_t cout,
                               bool half) noexcept;

/// How `tiles` are divided among `threads`, the fastest way by the cost model: few tasks read the
/// weights less often, small ones keep what they compute in the cache, columns in groups transform
/// the input again for each. Weights' form, block, group and room depend on `usual` tiles, those of
/// the largest shape.
WinogradPlan plan_winograd(const KernelTable& table, std::int64_t tile, std::int64_t tiles,
                           std::int64_t usual, std::int64_t cin, std::int64_t cout,
                           std::int64_t threads) noexcept;

}  // namespace skiff::cpu
