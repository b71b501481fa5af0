#pragma once

#include <skiff/session.h>
#include <skiff/vision.h>

#include <vector>

namespace skiff::vision {

/// Pixels of a picture in either direction, at most.
inline constexpr int kMaxExtent = 1 << 15;

struct Extent {
  int width = 0, height = 0;
};

/// Extent of the picture that input `input` takes at the session's present size. Throws
/// Error{invalid_argument} when the model says nothing about pictures there and Error{unsupported}
/// for an extent that is no picture's.
Extent input_extent(const Session& session, std::size_t input);

/// Extent of the first input that takes a picture; what detections are relative to. Throws as
/// input_extent().
Extent picture_extent(const Session& session);

/// Where a picture lands in an input of that extent.
Placement place(const Extent& picture, const Extent& input, FitMode fit) noexcept;

/// Two neighbours and how much of the second: one axis of a bilinear sample.
struct Sample {
  int first = 0, second = 0;
  float fraction = 0;
  bool inside = true;  ///< the position lies in the source; its border is repeated otherwise
};

/// For every i in [0, count): the sample at source position (i + 0.5) * step + start, in units of
/// pixels whose centres lie at halves. `extent` > 0 is the source's.
std::vector<Sample> samples(int count, float start, float step, int extent);

}  // namespace skiff::vision
