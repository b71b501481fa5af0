#pragma once

#include <skiff/vision.h>

#include <cstdint>
#include <memory>
#include <string>

namespace skiff::cli {

/// A decoded picture: RGB, or grey when the file is.
struct Picture {
  Image image;
  std::shared_ptr<unsigned char> pixels;  ///< what `image` points to
};

/// Taken by a picture that is decoded, where nobody says otherwise: 178 megapixels of colour.
constexpr std::uint64_t kMostPictureBytes = std::uint64_t{512} << 20;

/// Reads a .png, .jpg or .bmp file. Throws Error{not_found}, Error{invalid_model} for damage, and
/// before anything is decoded Error{budget_exceeded} where the pixels would take more than
/// `most_bytes`.
Picture load_picture(const std::string& path, std::uint64_t most_bytes = kMostPictureBytes);

}  // namespace skiff::cli
