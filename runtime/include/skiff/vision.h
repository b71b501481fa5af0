#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <skiff/export.h>

namespace skiff {

enum class ColorOrder : std::uint8_t { rgb = 0, bgr = 1, gray = 2 };
enum class FitMode : std::uint8_t { stretch = 0, letterbox = 1, center_crop = 2 };

/// How a picture becomes an input: value = (pixel / 255 * pixel_scale - mean) / std a channel.
/// Points into the model.
struct Preprocessing {
  bool present = false;
  ColorOrder color = ColorOrder::rgb;
  FitMode fit = FitMode::stretch;
  std::span<const float> mean;  ///< empty: 0
  std::span<const float> std;   ///< empty: 1
  float pixel_scale = 1;
  float pad_value = 0;  ///< letterbox border, 0..255
  int height_axis = 1, width_axis = 2, channel_axis = 3;
};

enum class PostprocessKind : std::uint8_t {
  none = 0,
  classify = 1,
  detect_anchors = 2,
  detect_corners = 3,
  detect_grid = 4,
  segment = 5
};

/// What the outputs mean; the kinds are described in schema/skiff.fbs. Points into the model.
struct Postprocessing {
  PostprocessKind kind = PostprocessKind::none;
  int scores = 0;  ///< index of an output
  int boxes = -1;
  bool apply_softmax = false;
  bool apply_sigmoid = false;
  float score_threshold = 0.5f;
  float iou_threshold = 0.3f;
  std::span<const float> anchors;  ///< (cx, cy, w, h) in [0, 1]
  float box_scale = 1;
  int keypoints = 0;
  int background = -1;
  int channel_axis = -1;
  float score_clip = 0;
};

/// A picture, rows of interleaved 8-bit channels (1: grey, 3: RGB, 4: RGBA) without gaps.
struct Image {
  const std::uint8_t* pixels = nullptr;
  int width = 0, height = 0, channels = 3;
};

class Session;

struct Classification {
  int index = 0;
  float score = 0;
};

/// A box in pixels of the original picture.
struct Detection {
  int label = 0;
  float score = 0;
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

/// Where the picture landed in the input: input = picture * scale + offset, in pixels.
struct Placement {
  float scale_x = 1, scale_y = 1, offset_x = 0, offset_y = 0;
};

/// Resizes (bilinear), fits and normalises a picture into input `input` as the model file says.
/// Throws Error{invalid_argument} when the file has no preprocessing for it.
SKIFF_API Placement set_image(Session& session, const Image& image, std::size_t input = 0);

/// The best classes, best first; as many as `best` holds, or fewer. Returns how many.
SKIFF_API std::size_t classify(const Session& session, std::span<Classification> best);

/// Boxes over the model's threshold after non-maximum suppression, best first, in pixels of the
/// picture that `placement` belongs to. Returns how many of `found` were filled.
SKIFF_API std::size_t detect(const Session& session, const Placement& placement,
                             std::span<Detection> found);

/// The class of every pixel of the picture (for one channel: 255 * its score), width * height
/// bytes.
SKIFF_API void segment(const Session& session, const Placement& placement, int width, int height,
                       std::span<std::uint8_t> mask);

}  // namespace skiff
