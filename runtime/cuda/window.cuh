#pragma once

#include <cstdint>

#include "runtime/cuda/dispatch.h"

// Windows that slide over images [N, D, H, W, C]: pooling and convolution.
namespace skiff::cuda {

/// The numbers of a PoolGeometry or ConvGeometry as kernels take them. `channels` are those of the
/// result.
struct Window {
  int in[3], out[3], kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
  int channels;
};

template <typename Geometry>
Window make_window(const Geometry& g, std::int64_t channels) {
  Window w{};
  for (std::size_t i = 0; i < 3; ++i) {
    w.in[i] = narrow(g.in[i]);
    w.out[i] = narrow(g.out[i]);
    w.kernel[i] = narrow(g.kernel[i]);
    w.stride[i] = narrow(g.stride[i]);
    w.dilation[i] = narrow(g.dilation[i]);
    w.pad[i] = narrow(g.pad_begin[i]);
    w.pad_end[i] = narrow(g.pad_end[i]);
  }
  w.channels = narrow(channels);
  return w;
}

/// Which element of the result a thread computes.
struct OutputPlace {
  std::int64_t image;
  int at[3], channel;

  __device__ OutputPlace(const Window& w, std::int64_t index) {
    channel = static_cast<int>(index % w.channels);
    index /= w.channels;
    for (int i = 2; i >= 0; --i) {
      at[i] = static_cast<int>(index % w.out[i]);
      index /= w.out[i];
    }
    image = index;
  }
};

/// What a tap of the window reads: pixel `pixel` of all images, when `inside`. `padded`: it lies
/// inside the image with its pads.
struct TapPlace {
  std::int64_t pixel = 0;
  bool inside = true, padded = true;

  __device__ TapPlace(const Window& w, const OutputPlace& place, int d, int h, int v) {
    const int tap[3] = {d, h, v};
    pixel = place.image;
    for (int i = 0; i < 3; ++i) {
      const int from = place.at[i] * w.stride[i] - w.pad[i] + tap[i] * w.dilation[i];
      inside = inside && from >= 0 && from < w.in[i];
      padded = padded && from < w.in[i] + w.pad_end[i];
      pixel = pixel * w.in[i] + from;
    }
  }
};

/// The same for a transposed convolution, whose taps scatter: element `place` of the result takes
/// from the input pixel whose window reaches it with this tap, if there is one.
struct TransposedTap {
  std::int64_t pixel = 0;
  bool inside = true;

  __device__ TransposedTap(const Window& w, const OutputPlace& place, int d, int h, int v) {
    const int tap[3] = {d, h, v};
    pixel = place.image;
    for (int i = 0; i < 3; ++i) {
      const int spread = place.at[i] + w.pad[i] - tap[i] * w.dilation[i];
      const int from = spread / w.stride[i];
      inside = inside && spread >= 0 && from * w.stride[i] == spread && from < w.in[i];
      pixel = pixel * w.in[i] + from;
    }
  }
};

}  // namespace skiff::cuda
