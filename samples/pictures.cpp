#include "pictures.h"

#include <skiff/error.h>

#include <algorithm>
#include <memory>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace sample {

Picture load_picture(const std::string& path) {
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load(path.c_str(), &width, &height, &channels, 3), stbi_image_free);
  if (!pixels) throw skiff::Error(skiff::ErrorCode::io, path + ": " + stbi_failure_reason());
  const auto size = 3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  return {{pixels.get(), pixels.get() + size}, width, height};
}

void save_png(const std::string& path, const Picture& picture) {
  if (!stbi_write_png(path.c_str(), picture.width, picture.height, 3, picture.pixels.data(),
                      3 * picture.width))
    throw skiff::Error(skiff::ErrorCode::io, path + ": cannot be written");
}

void draw_box(Picture& picture, const skiff::Detection& box, Color color) {
  const int thick = std::max(2, std::min(picture.width, picture.height) / 150);
  const auto clip = [](float v, int most) {
    return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(most - 1)));
  };
  const int x1 = clip(box.x1, picture.width), x2 = clip(box.x2, picture.width);
  const int y1 = clip(box.y1, picture.height), y2 = clip(box.y2, picture.height);
  for (int y = y1; y <= y2; ++y)
    for (int x = x1; x <= x2; ++x)
      if (std::min({x - x1, x2 - x, y - y1, y2 - y}) < thick)
        std::copy(color.begin(), color.end(), picture.at(x, y));
}

}  // namespace sample
