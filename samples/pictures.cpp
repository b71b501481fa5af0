#include "pictures.h"

#include <skiff/error.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
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
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace sample {
namespace {

/// What a hostile or mistaken file of few bytes may ask for: 128 megapixels.
constexpr std::int64_t kMostPixels = std::int64_t{1} << 27;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw skiff::Error(skiff::ErrorCode::io, path + ": " + why);
}

/// Only a file that could be closed is written. A part of one is removed, a device is not.
void write_file(const std::string& path, const std::string& bytes) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) fail(path, std::string("cannot be written: ") + std::strerror(errno));
  const bool all = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const bool closed = std::fclose(file) == 0;
  if (all && closed) return;
  const std::string why = std::strerror(errno);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) std::filesystem::remove(path, ignored);
  fail(path, "cannot be written: " + why);
}

}  // namespace

Picture load_picture(const std::string& path) {
  int width = 0, height = 0, channels = 0;
  if (!stbi_info(path.c_str(), &width, &height, &channels)) fail(path, stbi_failure_reason());
  if (std::int64_t{width} * height > kMostPixels)
    fail(path, "has " + std::to_string(width) + " x " + std::to_string(height) +
                   " pixels, more than are taken");
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load(path.c_str(), &width, &height, &channels, 3), stbi_image_free);
  if (!pixels) fail(path, stbi_failure_reason());
  const auto size = 3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  return {{pixels.get(), pixels.get() + size}, width, height};
}

void save_png(const std::string& path, const Picture& picture) {
  std::string bytes;
  const auto take = [](void* to, void* data, int size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(data),
                                          static_cast<std::size_t>(size));
  };
  if (!stbi_write_png_to_func(take, &bytes, picture.width, picture.height, 3, picture.pixels.data(),
                              3 * picture.width))
    fail(path, "the picture cannot be packed");
  write_file(path, bytes);
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
