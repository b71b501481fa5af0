#include "text_boxes.h"

#include <algorithm>
#include <cmath>

namespace sample {
namespace {

constexpr float kInText = 0.3f;      // probability of a pixel
constexpr float kLeastScore = 0.6f;  // mean probability of a piece
constexpr float kLeastHeight = 3;    // of a piece, in pixels of the map
constexpr float kGrowth = 1.5f;      // how a line is larger than its core: times area / perimeter

struct Pixel {
  int x, y;
};

/// The piece that (x, y) belongs to; marks its pixels as seen.
std::vector<Pixel> piece_at(Pixel start, std::span<const float> map, int width, int height,
                            std::vector<bool>& seen) {
  std::vector<Pixel> piece;
  const auto visit = [&](int x, int y) {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const auto i =
        static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
    if (seen[i] || map[i] <= kInText) return;
    seen[i] = true;
    piece.push_back({x, y});
  };
  visit(start.x, start.y);
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const Pixel p = piece[i];
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx) visit(p.x + dx, p.y + dy);
  }
  return piece;
}

/// The direction in which a piece is longest: the first principal axis of its pixels.
void set_direction(TextBox& box, const std::vector<Pixel>& piece) {
  const auto count = static_cast<float>(piece.size());
  float sum_x = 0, sum_y = 0, xx = 0, xy = 0, yy = 0;
  for (const Pixel& p : piece) sum_x += static_cast<float>(p.x), sum_y += static_cast<float>(p.y);
  for (const Pixel& p : piece) {
    const float dx = static_cast<float>(p.x) - sum_x / count;
    const float dy = static_cast<float>(p.y) - sum_y / count;
    xx += dx * dx, xy += dx * dy, yy += dy * dy;
  }
  const float angle = std::atan2(2 * xy, xx - yy) / 2;
  box.along_x = std::cos(angle);
  box.along_y = std::sin(angle);
}

/// The smallest box of its direction around a piece, grown on all sides.
void set_extents(TextBox& box, const std::vector<Pixel>& piece) {
  float low_u = 1e9f, high_u = -1e9f, low_v = 1e9f, high_v = -1e9f;
  for (const Pixel& p : piece) {
    const auto x = static_cast<float>(p.x) + 0.5f, y = static_cast<float>(p.y) + 0.5f;
    const float u = x * box.along_x + y * box.along_y, v = y * box.along_x - x * box.along_y;
    low_u = std::min(low_u, u), high_u = std::max(high_u, u);
    low_v = std::min(low_v, v), high_v = std::max(high_v, v);
  }
  const float u = (low_u + high_u) / 2, v = (low_v + high_v) / 2;
  const float width = high_u - low_u + 1, height = high_v - low_v + 1;
  const float border = kGrowth * width * height / (2 * (width + height));
  box.x = u * box.along_x - v * box.along_y;
  box.y = u * box.along_y + v * box.along_x;
  box.width = width + 2 * border;
  box.height = height < kLeastHeight ? 0 : height + 2 * border;
}

}  // namespace

std::vector<TextBox> text_boxes(std::span<const float> map, int width, int height) {
  std::vector<TextBox> boxes;
  std::vector<bool> seen(map.size());
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const std::vector<Pixel> piece = piece_at({x, y}, map, width, height, seen);
      float score = 0;
      for (const Pixel& p : piece) score += map[static_cast<std::size_t>(p.y * width + p.x)];
      if (piece.empty() || score < kLeastScore * static_cast<float>(piece.size())) continue;
      TextBox box;
      set_direction(box, piece);
      set_extents(box, piece);
      if (box.height > 0) boxes.push_back(box);
    }
  std::sort(boxes.begin(), boxes.end(), [](const auto& a, const auto& b) { return a.y < b.y; });
  return boxes;
}

void stretch(TextBox& box, float factor_x, float factor_y) {
  const float along = std::hypot(box.along_x * factor_x, box.along_y * factor_y);
  const float across = std::hypot(box.along_y * factor_x, box.along_x * factor_y);
  box = {box.x * factor_x,
         box.y * factor_y,
         box.along_x * factor_x / along,
         box.along_y * factor_y / along,
         box.width * along,
         box.height * across};
}

Picture cut_out(const Picture& picture, const TextBox& box, int width, int height) {
  Picture cut{std::vector<std::uint8_t>(3 * static_cast<std::size_t>(width * height)), width,
              height};
  const auto pixel = [&](int x, int y, std::size_t c) {
    const int inside_x = std::clamp(x, 0, picture.width - 1);
    const int inside_y = std::clamp(y, 0, picture.height - 1);
    return static_cast<float>(
        picture.pixels[3 * static_cast<std::size_t>(inside_y * picture.width + inside_x) + c]);
  };
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column) {
      const float u =
          ((static_cast<float>(column) + 0.5f) / static_cast<float>(width) - 0.5f) * box.width;
      const float v =
          ((static_cast<float>(row) + 0.5f) / static_cast<float>(height) - 0.5f) * box.height;
      const float x = box.x + u * box.along_x - v * box.along_y - 0.5f;
      const float y = box.y + u * box.along_y + v * box.along_x - 0.5f;
      const int x0 = static_cast<int>(std::floor(x)), y0 = static_cast<int>(std::floor(y));
      const float fx = x - static_cast<float>(x0), fy = y - static_cast<float>(y0);
      for (std::size_t c = 0; c < 3; ++c) {  // bilinear
        const float upper = std::lerp(pixel(x0, y0, c), pixel(x0 + 1, y0, c), fx);
        const float lower = std::lerp(pixel(x0, y0 + 1, c), pixel(x0 + 1, y0 + 1, c), fx);
        cut.at(column, row)[c] =
            static_cast<std::uint8_t>(std::lround(std::lerp(upper, lower, fy)));
      }
    }
  return cut;
}

}  // namespace sample
