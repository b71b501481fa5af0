#pragma once

#include <skiff/vision.h>

#include <array>
#include <string>
#include <vector>

namespace sample {

/// An RGB picture that owns its pixels.
struct Picture {
  std::vector<std::uint8_t> pixels;
  int width = 0, height = 0;

  skiff::Image image() const { return {pixels.data(), width, height, 3}; }
  std::uint8_t* at(int x, int y) {
    return &pixels[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                        static_cast<std::size_t>(x))];
  }
};

using Color = std::array<std::uint8_t, 3>;

/// Reads a PNG, JPEG or BMP file. Throws skiff::Error, for pictures of absurd size before they are
/// decoded.
Picture load_picture(const std::string& path);

/// Writes a PNG file. Throws skiff::Error; then no part of it is left.
void save_png(const std::string& path, const Picture& picture);

/// The outline of a box, clipped to the picture.
void draw_box(Picture& picture, const skiff::Detection& box, Color color);

}  // namespace sample
