#pragma once

#include <cstdint>

#include "runtime/cpu/tiling.h"

namespace skiff::cpu {

/// Winograd's F(4x4, 3x3) of a convolution with stride 1: 36 products of [tiles][cin] with
/// [cin][cout] instead of nine of [16 tiles][cin], between transforms of input and output. Weights
/// take four times their room.
///
/// Error: relative to the sum of |x w| over a tile's patch at most about 30 units in the last
/// place.
struct WinogradPlan {
  static constexpr std::int64_t kProducts = 36;
  static constexpr std::int64_t kTile = 4;

  std::int64_t tiles = 0;  ///< of all images
  std::int64_t block = 1;  ///< tiles a task transforms at a time
  std::int64_t group = 1;  ///< panels a task multiplies with
  std::int64_t room = 0;   ///< elements of scratch a thread
  PanelLayout layout;      ///< of one product's weights

  std::int64_t blocks() const noexcept { return ceil_div(tiles, block); }
  std::int64_t groups() const noexcept { return ceil_div(layout.panels(), group); }
  std::int64_t tasks() const noexcept { return blocks() * groups(); }
  /// Elements of a block's transformed input, and of its products.
  std::int64_t input_elements(std::int64_t cin) const noexcept {
    return kProducts * round_up(block * cin, layout.lanes);
  }
};

/// Tiles of `images` outputs of height h and width w.
std::int64_t winograd_tiles(std::int64_t images, std::int64_t h, std::int64_t w) noexcept;

/// Vector multiply-adds that it saves over the direct form by the cost model, transforms and the
/// reading of its weights included; 0 where it does not pay.
std::int64_t winograd_saves(const KernelTable& table, std::int64_t images, std::int64_t h,
                            std::int64_t w, std::int64_t cin, std::int64_t cout) noexcept;

/// How `tiles` are divided. Weights' form, block, group and room depend on `usual` tiles, those of
/// the largest shape.
WinogradPlan plan_winograd(const KernelTable& table, std::int64_t tiles, std::int64_t usual,
                           std::int64_t cin, std::int64_t cout) noexcept;

}  // namespace skiff::cpu
