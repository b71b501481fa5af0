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

/// Reads a .png, .jpg or .bmp file. Throws Error{not_found}, Error{invalid_model} for damage, and
/// before anything is decoded Error{budget_exceeded} where the pixels would take more than 512 MiB
/// (178 megapixels of colour).
Picture load_picture(const std::string& path);

}  // namespace skiff::cli
