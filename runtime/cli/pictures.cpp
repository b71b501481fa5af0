#include "runtime/cli/pictures.h"

#include <vector>

#include "platform/whole_file.h"
#include "runtime/core/error.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace skiff::cli {

constexpr std::uint64_t kMostBytes = std::uint64_t{512} << 20;

Picture load_picture(const std::string& path) {
  const platform::File file(path.c_str());
  require(file.size() < std::uint64_t{1} << 30, ErrorCode::invalid_model, path,
          ": larger than a picture is");
  const std::vector<std::byte> bytes = platform::read_whole(file);
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int size = static_cast<int>(bytes.size());
  int width = 0, height = 0, channels = 0;
  const bool known = stbi_info_from_memory(data, size, &width, &height, &channels) != 0;
  const int wanted = channels == 1 ? 1 : 3;
  const std::uint64_t decoded = static_cast<std::uint64_t>(width) *
                                static_cast<std::uint64_t>(height) *
                                static_cast<std::uint64_t>(wanted);
  require(!known || decoded <= kMostBytes, ErrorCode::budget_exceeded, path, ": ", width, " x ",
          height, " pixels take ", decoded, " bytes, at most ", kMostBytes, " are taken");
  unsigned char* pixels =
      known ? stbi_load_from_memory(data, size, &width, &height, &channels, wanted) : nullptr;
  require(pixels != nullptr, ErrorCode::invalid_model, path,
          ": no PNG, JPEG or BMP picture: ", stbi_failure_reason());
  Picture picture;
  picture.pixels = {pixels, [](unsigned char* p) { stbi_image_free(p); }};
  picture.image = {pixels, width, height, wanted};
  return picture;
}

}  // namespace skiff::cli
