#include <algorithm>
#include <cmath>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

struct Plan {
  std::int64_t batch, height, width, channels;
  std::int64_t rois, out_height, out_width;
  std::int64_t sampling;
  double scale;
  bool half_pixel, maximum, wide_indices;
  const cpu::RowTable* table;

  std::int64_t batch_of(const RunArgs& args, std::int64_t roi) const {
    return wide_indices ? args.input<std::int64_t>(2)[roi] : args.input<std::int32_t>(2)[roi];
  }
};

/// Samples a bin has at most along an axis; what needs more is refused as a bad value.
constexpr double kMostSamples = 1024;

/// One axis of a box: where it starts, how long a bin is and how many samples it takes.
struct BoxAxis {
  double start, bin;
  std::int64_t samples;

  double at(std::int64_t index, std::int64_t sample) const {
    return start + static_cast<double>(index) * bin +
           (static_cast<double>(sample) + 0.5) * bin / static_cast<double>(samples);
  }
};

struct Box {
  BoxAxis y, x;
  bool valid;
};

BoxAxis box_axis(const Plan& p, double from, double to, std::int64_t bins, bool& valid) {
  const double offset = p.half_pixel ? 0.5 : 0, start = from * p.scale - offset;
  double length = to * p.scale - offset - start;
  if (!p.half_pixel) length = std::max(length, 1.0);
  const double bin = length / static_cast<double>(bins);
  const double samples = p.sampling > 0 ? static_cast<double>(p.sampling) : std::ceil(bin);
  valid = valid && std::isfinite(start) && std::isfinite(length) && samples <= kMostSamples;
  return {start, bin, valid ? std::max<std::int64_t>(0, static_cast<std::int64_t>(samples)) : 0};
}

template <typename T>
Box box_of(const Plan& p, const T* roi) {
  const auto value = [&](int i) { return static_cast<double>(load(roi[i])); };
  bool valid = true;
  const BoxAxis x = box_axis(p, value(0), value(2), p.out_width, valid);
  const BoxAxis y = box_axis(p, value(1), value(3), p.out_height, valid);
  return {y, x, valid};
}

/// Two neighbouring pixels of an axis and their weights; none when the sample lies outside.
struct Between {
  std::int64_t index[2] = {};
  double weight[2] = {};
  bool inside = false;
};

Between between(double v, std::int64_t extent) {
  if (!(v >= -1 && v <= static_cast<double>(extent))) return {};
  v = std::max(v, 0.0);
  const auto low = static_cast<std::int64_t>(v);
  if (low >= extent - 1) return {{extent - 1, extent - 1}, {1, 0}, true};
  const double rest = v - static_cast<double>(low);
  return {{low, low + 1}, {1 - rest, rest}, true};
}

/// The four weighted pixels of a sample; one outside the image counts as 0.
template <typename T>
struct Sample {
  const T* rows[4];
  double weights[4];
  bool inside;
};

/// Calls f(sample) for every sample of a bin.
template <typename T, typename F>
void for_each_sample(const Plan& p, const Box& box, const T* image, std::int64_t oy,
                     std::int64_t ox, F&& f) {
  for (std::int64_t sy = 0; sy < box.y.samples; ++sy) {
    const Between y = between(box.y.at(oy, sy), p.height);
    for (std::int64_t sx = 0; sx < box.x.samples; ++sx) {
      const Between x = between(box.x.at(ox, sx), p.width);
      Sample<T> sample{{}, {}, y.inside && x.inside};
      for (int i = 0; i < 4 && sample.inside; ++i) {
        sample.rows[i] = image + (y.index[i / 2] * p.width + x.index[i % 2]) * p.channels;
        sample.weights[i] = y.weight[i / 2] * x.weight[i % 2];
      }
      f(sample);
    }
  }
}

/// average: the mean over the bin's samples.
template <typename T>
void average_bin(const Plan& p, const Box& box, const T* image, std::int64_t oy, std::int64_t ox,
                 T* y) {
  const auto count = static_cast<double>(std::max<std::int64_t>(1, box.y.samples * box.x.samples));
  if constexpr (std::is_same_v<T, float>) {
    std::fill_n(y, p.channels, 0.0f);
    for_each_sample(p, box, image, oy, ox, [&](const Sample<T>& s) {
      if (!s.inside) return;
      float weights[4];
      for (int i = 0; i < 4; ++i) weights[i] = static_cast<float>(s.weights[i] / count);
      p.table->weighted_sum(s.rows, weights, 4, y, p.channels, true);
    });
  } else {
    for (std::int64_t c = 0; c < p.channels; ++c) {
      double sum = 0;
      for_each_sample(p, box, image, oy, ox, [&](const Sample<T>& s) {
        for (int i = 0; i < 4 && s.inside; ++i)
          sum += s.weights[i] * static_cast<double>(load(s.rows[i][c]));
      });
      y[c] = T(static_cast<Compute<T>>(sum / count));
    }
  }
}

/// maximum, as ONNX defines it: over the weighted pixels themselves, not their sums.
template <typename T>
void maximum_bin(const Plan& p, const Box& box, const T* image, std::int64_t oy, std::int64_t ox,
                 T* y) {
  for (std::int64_t c = 0; c < p.channels; ++c) {
    double best = 0;
    bool first = true;
    for_each_sample(p, box, image, oy, ox, [&](const Sample<T>& s) {
      for (int i = 0; i < 4; ++i) {
        const double v = s.inside ? s.weights[i] * static_cast<double>(load(s.rows[i][c])) : 0;
        if (first || v > best) best = v;
        first = false;
      }
    });
    y[c] = T(static_cast<Compute<T>>(best));
  }
}

template <typename T>
Status run_rois(const Plan& p, const RunArgs& args) {
  for (std::int64_t roi = 0; roi < p.rois; ++roi) {
    const std::int64_t batch = p.batch_of(args, roi);
    if (batch < 0 || batch >= p.batch)
      return {ErrorCode::bad_value, "roi_align: a batch index is out of range"};
    if (!box_of(p, args.input<T>(1) + roi * 4).valid)
      return {ErrorCode::bad_value, "roi_align: a box is not finite or too large"};
  }
  args.pool.parallel_for(p.rois * p.out_height, [&](std::int64_t task) {
    const std::int64_t roi = task / p.out_height, oy = task % p.out_height;
    const Box box = box_of(p, args.input<T>(1) + roi * 4);
    const T* image = args.input<T>(0) + p.batch_of(args, roi) * p.height * p.width * p.channels;
    T* y = args.output<T>(0) + task * p.out_width * p.channels;
    for (std::int64_t ox = 0; ox < p.out_width; ++ox, y += p.channels) {
      if (p.maximum)
        maximum_bin(p, box, image, oy, ox, y);
      else
        average_bin(p, box, image, oy, ox, y);
    }
  });
  return {};
}

class RoiAlignKernel final : public Kernel {
 public:
  RoiAlignKernel(const KernelSpec& spec, const fb::RoiAlignAttrs& attrs) {
    const Shape& x = spec.input(0).shape;
    plan_ = {x[0],
             x[1],
             x[2],
             x[3],
             spec.input(1).shape[0],
             attrs.output_height(),
             attrs.output_width(),
             attrs.sampling_ratio(),
             static_cast<double>(attrs.spatial_scale()),
             attrs.half_pixel(),
             attrs.max_mode(),
             spec.input(2).dtype == DType::int64,
             &spec.table.rows};
    run_ = dispatch(spec.node, spec.input(0).dtype, FloatTypes{},
                    [](auto type) { return &run_rois<typename decltype(type)::type>; });
  }

  Status run(const RunArgs& args) noexcept override {
    return plan_.channels > 0 ? run_(plan_, args) : Status{};
  }

 private:
  Plan plan_{};
  Status (*run_)(const Plan&, const RunArgs&) = nullptr;
};

}  // namespace

KernelPtr make_roi_align_cpu(const KernelSpec& spec) {
  return make_kernel<RoiAlignKernel>(spec.memory, spec, spec.node.attrs<fb::RoiAlignAttrs>());
}

}  // namespace skiff
