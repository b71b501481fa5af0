#pragma once

#include <skiff/vision.h>

#include <memory>
#include <string>

namespace skiff::cli {

/// A decoded picture: RGB, or grey when the file is.
struct Picture {
  Image image;
  std::shared_ptr<unsigned char> pixels;  ///< what `image` points to
};

/// Reads a .png, .jpg or .bmp file. Throws Error{not_found, invalid_argument}.
Picture load_picture(const std::string& path);

}  // namespace skiff::cli
