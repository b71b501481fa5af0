#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

// A picture as the numbers of a network's input, pixel by pixel, in double.
namespace skiff::test {

enum class Fit { stretch, letterbox, crop };

struct ReferencePicture {
  std::vector<std::uint8_t> pixels;  // rows of interleaved channels: 1, 3 or 4
  int width = 0, height = 0, channels = 3;

  /// The pixel's part in 'r', 'g', 'b' or 'l' (luma of ITU-R BT.601), 0..255.
  double part(int x, int y, char wanted) const {
    x = std::clamp(x, 0, width - 1);
    y = std::clamp(y, 0, height - 1);
    const std::uint8_t* p = pixels.data() + (y * width + x) * channels;
    if (channels == 1) return p[0];
    if (wanted == 'r') return p[0];
    if (wanted == 'g') return p[1];
    if (wanted == 'b') return p[2];
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
  }

  /// Bilinear at a position whose unit is a pixel; the centre of the first one is at (0.5, 0.5).
  /// Beyond the centres of the outermost pixels these go on.
  double at(double x, double y, char wanted) const {
    double sum = 0;
    const int left = static_cast<int>(std::floor(x - 0.5));
    const int top = static_cast<int>(std::floor(y - 0.5));
    for (int row : {top, top + 1})
      for (int column : {left, left + 1})
        sum += part(column, row, wanted) * (1 - std::abs(x - (column + 0.5))) *
               (1 - std::abs(y - (row + 0.5)));
    return sum;
  }
};

/// Where pixel (0, 0)'s corner lands, and how many input pixels a picture's pixel is.
struct ReferencePlacement {
  double scale_x = 1, scale_y = 1, offset_x = 0, offset_y = 0;
};

inline ReferencePlacement reference_placement(const ReferencePicture& picture, int width,
                                              int height, Fit fit) {
  const double x = static_cast<double>(width) / picture.width;
  const double y = static_cast<double>(height) / picture.height;
  if (fit == Fit::stretch) return {x, y, 0, 0};
  const double scale = fit == Fit::letterbox ? std::min(x, y) : std::max(x, y);
  return {scale, scale, (width - picture.width * scale) / 2, (height - picture.height * scale) / 2};
}

/// What pixel (column, row) of an input of that placement shows in channel `wanted`: 0..255, `pad`
/// beyond the picture.
inline double reference_pixel(const ReferencePicture& picture, const ReferencePlacement& placed,
                              int column, int row, char wanted, double pad) {
  const double x = (column + 0.5 - placed.offset_x) / placed.scale_x;
  const double y = (row + 0.5 - placed.offset_y) / placed.scale_y;
  const bool inside = x >= 0 && y >= 0 && x <= picture.width && y <= picture.height;
  return inside ? picture.at(x, y, wanted) : pad;
}

}  // namespace skiff::test
