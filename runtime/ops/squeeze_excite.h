#pragma once

#include <array>
#include <memory>
#include <span>

#include "runtime/ops/parts.h"

namespace skiff {

/// Channels of an image weighted by what a small network makes of their means, as one step: the
/// attributes of a node that a session makes of several (see graph/fuse_squeeze_excite.h), never
/// stored in a file. Parts: the means over all pixels, two convolutions of one pixel, the product
/// of image and gates, and where there is one the sum with another tensor of that shape.
struct SqueezeExcite {
  enum Which { mean, reduce, expand, scale, add, kMaxParts };
  enum Input {
    image,
    reduce_weights,
    reduce_bias,
    expand_weights,
    expand_bias,
    addend,
    kMaxInputs
  };

  std::array<Part, kMaxParts> parts{};
  int count = 0;

  std::span<const Part> used() const noexcept {
    return std::span(parts).first(static_cast<std::size_t>(count));
  }
  /// Which input is added to the product; -1: none. It may be the image.
  int added() const noexcept {
    if (count <= add) return -1;
    const Part& sum = parts[add];
    return sum.operands[0] == Part::kPrevious ? sum.operands[1] : sum.operands[0];
  }
};

inline constexpr std::int64_t kMostHidden = 1024;

/// Whether the kernels of every device take an image of that shape and so many channels between
/// the convolutions.
inline bool fits_squeeze_excite(const TensorInfo& image, std::int64_t hidden) noexcept {
  constexpr std::int64_t kMostElements = (std::int64_t{1} << 31) - 1, kMostImages = 65535;
  constexpr std::int64_t kMostChannels = std::int64_t{1} << 20;
  const bool real = image.dtype == DType::float32 || image.dtype == DType::float16 ||
                    image.dtype == DType::bfloat16;
  return real && image.shape.elements() <= kMostElements && image.shape[0] <= kMostImages &&
         image.shape.back() <= kMostChannels && hidden <= kMostHidden;
}

/// The row in place of the op table's. The result is like the image.
const OpDef& squeeze_excite_op() noexcept;

std::unique_ptr<Kernel, KernelDeleter> make_squeeze_excite_cpu(const KernelSpec& spec);

}  // namespace skiff
