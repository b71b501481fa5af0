#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

constexpr int kAxes = 3;
constexpr int kMaxTaps = 64;  // cubic in three axes

struct Plan {
  int axes;
  std::array<std::int64_t, kAxes> extents;
  std::int64_t batch, points, channels;
  fb::ResizeMode mode;
  fb::GridPadding padding;
  bool align_corners;
  const cpu::RowTable* table;
};

/// The pixels that decide one axis of a sample, and their weights; fewer than `count` where zeros
/// lie beyond the edge.
struct AxisTaps {
  std::int64_t index[4];
  double weight[4];
  int count = 0;

  void add(std::int64_t i, double w) {
    index[count] = i;
    weight[count++] = w;
  }
};

/// Mirrors at low and high until v lies between them.
double reflect(double v, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  const double away = v < low ? low - v : v - low;
  const double rest = std::fmod(away, 2 * range);
  return low + (rest > range ? 2 * range - rest : rest);
}

/// Keys' kernel with a = -3/4.
double cubic(double x) {
  constexpr double a = -0.75;
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// A grid coordinate in [-1, 1] as a position in pixels. Not a number and far away become one far
/// outside, which paddings treat as any other.
double position(const Plan& p, double normalized, std::int64_t extent) {
  constexpr double kFar = 1e9;
  const auto length = static_cast<double>(extent);
  double v =
      p.align_corners ? (normalized + 1) / 2 * (length - 1) : ((normalized + 1) * length - 1) / 2;
  v = static_cast<double>(static_cast<float>(v));
  if (!(v > -kFar)) v = -kFar;
  v = std::min(v, kFar);
  if (p.mode == fb::ResizeMode::nearest) v = std::nearbyint(v);
  const double low = p.align_corners ? 0 : -0.5;
  const double high = p.align_corners ? length - 1 : length - 0.5;
  if (v >= low && v <= high) return v;
  if (p.padding == fb::GridPadding::border) return std::clamp(v, 0.0, length - 1);
  return p.padding == fb::GridPadding::reflection ? reflect(v, low, high) : v;
}

void add_tap(const Plan& p, std::int64_t index, double weight, std::int64_t extent,
             AxisTaps& taps) {
  if (index >= 0 && index < extent) return taps.add(index, weight);
  if (p.padding == fb::GridPadding::zeros) return;
  const auto last = static_cast<double>(extent - 1);
  double i = static_cast<double>(index);
  if (p.padding == fb::GridPadding::reflection)
    i = std::trunc(p.align_corners ? reflect(i, 0, last) : reflect(i, -0.5, last + 0.5));
  taps.add(static_cast<std::int64_t>(std::clamp(i, 0.0, last)), weight);
}

AxisTaps axis_taps(const Plan& p, double normalized, std::int64_t extent) {
  AxisTaps taps;
  const double v = position(p, normalized, extent), floor = std::floor(v);
  const auto base = static_cast<std::int64_t>(floor);
  if (p.mode == fb::ResizeMode::nearest) {
    add_tap(p, base, 1, extent, taps);
  } else if (p.mode == fb::ResizeMode::linear) {
    add_tap(p, base, 1 - (v - floor), extent, taps);
    add_tap(p, base + 1, v - floor, extent, taps);
  } else {
    for (int t = -1; t <= 2; ++t) add_tap(p, base + t, cubic(v - floor - t), extent, taps);
  }
  return taps;
}

/// All pixels of a sample: offsets in pixels and weights.
struct Taps {
  std::int64_t offset[kMaxTaps];
  double weight[kMaxTaps];
  int count = 1;
};

/// `point`: its coordinates, the last axis first.
Taps taps_of(const Plan& p, const double* point) {
  Taps taps;
  taps.offset[0] = 0;
  taps.weight[0] = 1;
  for (int axis = 0; axis < p.axes; ++axis) {
    const std::int64_t extent = p.extents[static_cast<std::size_t>(axis)];
    const AxisTaps mine = axis_taps(p, point[p.axes - 1 - axis], extent);
    // From the back, so that products do not overwrite what they are made of.
    for (int i = taps.count - 1; i >= 0; --i) {
      const std::int64_t offset = taps.offset[i] * extent;
      const double weight = taps.weight[i];
      for (int t = mine.count - 1; t >= 0; --t) {
        taps.offset[i * mine.count + t] = offset + mine.index[t];
        taps.weight[i * mine.count + t] = weight * mine.weight[t];
      }
    }
    taps.count *= mine.count;
  }
  return taps;
}

template <typename T>
void sample(const Plan& p, const Taps& taps, const T* image, T* y) {
  if constexpr (std::is_same_v<T, float>) {
    const float* rows[kMaxTaps];
    float weights[kMaxTaps];
    for (int t = 0; t < taps.count; ++t) {
      rows[t] = image + taps.offset[t] * p.channels;
      weights[t] = static_cast<float>(taps.weight[t]);
    }
    p.table->weighted_sum(rows, weights, taps.count, y, p.channels, false);
  } else {
    for (std::int64_t c = 0; c < p.channels; ++c) {
      double sum = 0;
      for (int t = 0; t < taps.count; ++t)
        sum += taps.weight[t] * static_cast<double>(load(image[taps.offset[t] * p.channels + c]));
      y[c] = T(static_cast<Compute<T>>(sum));
    }
  }
}

template <typename T>
void run_points(const Plan& p, const RunArgs& args) {
  std::int64_t pixels = p.channels;
  for (int axis = 0; axis < p.axes; ++axis) pixels *= p.extents[static_cast<std::size_t>(axis)];
  parallel_chunks(args, p.batch * p.points, grain_for(p.channels * 8 + 64),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      double point[kAxes] = {};
                      for (int axis = 0; axis < p.axes; ++axis)
                        point[axis] =
                            static_cast<double>(load(args.input<T>(1)[i * p.axes + axis]));
                      sample(p, taps_of(p, point), args.input<T>(0) + i / p.points * pixels,
                             args.output<T>(0) + i * p.channels);
                    }
                  });
}

class GridSampleKernel final : public Kernel {
 public:
  GridSampleKernel(const KernelSpec& spec, const fb::GridSampleAttrs& attrs) {
    const Shape &x = spec.input(0).shape, &y = spec.output(0).shape;
    plan_.axes = x.rank() - 2;
    for (int axis = 0; axis < plan_.axes; ++axis)
      plan_.extents[static_cast<std::size_t>(axis)] = x[axis + 1];
    plan_.batch = x[0];
    plan_.points = y.elements(1, y.rank() - 1);
    plan_.channels = x.back();
    plan_.mode = attrs.mode();
    plan_.padding = attrs.padding();
    plan_.align_corners = attrs.align_corners();
    plan_.table = &spec.table.rows;
    run_ = dispatch(spec.node, spec.input(0).dtype, FloatTypes{},
                    [](auto type) { return &run_points<typename decltype(type)::type>; });
  }

  Status run(const RunArgs& args) noexcept override {
    if (plan_.batch * plan_.points * plan_.channels > 0) run_(plan_, args);
    return {};
  }

 private:
  Plan plan_{};
  void (*run_)(const Plan&, const RunArgs&) = nullptr;
};

}  // namespace

KernelPtr make_grid_sample_cpu(const KernelSpec& spec) {
  return make_kernel<GridSampleKernel>(spec.memory, spec, spec.node.attrs<fb::GridSampleAttrs>());
}

}  // namespace skiff
