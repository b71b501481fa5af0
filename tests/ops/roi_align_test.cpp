#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

/// The four weighted pixels around (y, x), zeros outside, as the paper's bilinear sampling has it.
std::array<double, 4> corners(const std::vector<double>& image, std::int64_t height,
                              std::int64_t width, std::int64_t channels, std::int64_t c, double y,
                              double x) {
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  if (y < -1 || y > h || x < -1 || x > w) return {};
  y = std::clamp(y, 0.0, h - 1);
  x = std::clamp(x, 0.0, w - 1);
  std::array<double, 4> result{};
  for (int i = 0; i < 4; ++i) {
    const double py = std::min(std::floor(y) + i / 2, h - 1);
    const double px = std::min(std::floor(x) + i % 2, w - 1);
    const double fy = y - std::floor(y), fx = x - std::floor(x);
    const double weight = (i / 2 == 1 ? fy : 1 - fy) * (i % 2 == 1 ? fx : 1 - fx);
    const auto at = static_cast<std::size_t>((py * w + px) * static_cast<double>(channels)) +
                    static_cast<std::size_t>(c);
    result[static_cast<std::size_t>(i)] = weight * image[at];
  }
  return result;
}

std::vector<double> reference(const fb::RoiAlignAttrsT& a, const TensorData& x,
                              const TensorData& rois, const std::vector<double>& batches) {
  const std::int64_t height = x.shape[1], width = x.shape[2], channels = x.shape[3];
  const std::vector<double> v = x.numbers(), boxes = rois.numbers();
  std::vector<double> y;
  for_each_index({rois.shape[0], a.output_height, a.output_width, channels}, [&](const Index& i) {
    const auto roi = static_cast<std::size_t>(i[0]);
    const auto at =
        v.begin() + static_cast<std::ptrdiff_t>(batches[roi]) * height * width * channels;
    const std::vector<double> image(at, at + height * width * channels);
    const double scale = static_cast<double>(a.spatial_scale), offset = a.half_pixel ? 0.5 : 0;
    double start[2], bin[2];
    std::int64_t samples[2];
    for (std::size_t axis = 0; axis < 2; ++axis) {  // y, x
      start[axis] = boxes[roi * 4 + 1 - axis] * scale - offset;
      double length = boxes[roi * 4 + 3 - axis] * scale - offset - start[axis];
      if (!a.half_pixel) length = std::max(length, 1.0);
      bin[axis] = length / static_cast<double>(axis == 0 ? a.output_height : a.output_width);
      samples[axis] =
          a.sampling_ratio > 0 ? a.sampling_ratio : static_cast<std::int64_t>(std::ceil(bin[axis]));
    }
    double sum = 0, best = samples[0] > 0 && samples[1] > 0 ? -1e300 : 0;
    for (std::int64_t sy = 0; sy < samples[0]; ++sy)
      for (std::int64_t sx = 0; sx < samples[1]; ++sx) {
        const auto place = [&](std::size_t axis, std::int64_t s, std::int64_t o) {
          return start[axis] + static_cast<double>(o) * bin[axis] +
                 (static_cast<double>(s) + 0.5) * bin[axis] / static_cast<double>(samples[axis]);
        };
        for (const double w : corners(image, height, width, channels, i[3], place(0, sy, i[1]),
                                      place(1, sx, i[2]))) {
          sum += w;
          best = std::max(best, w);
        }
      }
    y.push_back(
        a.max_mode ? best
                   : sum / static_cast<double>(std::max<std::int64_t>(1, samples[0] * samples[1])));
  });
  return y;
}

void check_roi_align(DType dtype, const fb::RoiAlignAttrsT& attrs, std::int64_t channels,
                     const cpu::KernelTable* table = nullptr) {
  const TensorData x = random_tensor(dtype, {2, 9, 11, channels}, 1, 5);
  // Two of them lie outside, one is turned round.
  const TensorData rois =
      tensor_of(dtype, {7, 4}, {0,   0,   10, 8,  2.5, 1.25, 7.5, 6,  -3,  -3, 20, 20, 5, 5,
                                5.5, 5.5, 40, 40, 50,  50,   -50, -9, -40, -5, 7,  6,  4, 2});
  const TensorData batches = channels % 2 == 0 ? tensor<std::int32_t>({7}, {0, 1, 1, 0, 1, 0, 1})
                                               : tensor<std::int64_t>({7}, {0, 1, 1, 0, 1, 0, 1});
  expect_near(run_op(fb::OpKind::roi_align, attrs, {x, rois, batches}, {1, table, "node"})[0],
              reference(attrs, x, rois, batches.numbers()), rounding(dtype, 32), 1e-6);
}

TEST(RoiAlign, EveryForm) {
  for (int form = 0; form < 16; ++form) {
    fb::RoiAlignAttrsT attrs;
    attrs.output_height = 3;
    attrs.output_width = 5;
    attrs.half_pixel = (form & 1) != 0;
    attrs.max_mode = (form & 2) != 0;
    attrs.sampling_ratio = (form & 4) != 0 ? 2 : 0;
    attrs.spatial_scale = (form & 8) != 0 ? 0.5f : 1;
    SCOPED_TRACE(form);
    for (DType dtype : kFloats) check_roi_align(dtype, attrs, 3);
    for_each_table(
        [&](const cpu::KernelTable& table) { check_roi_align(DType::float32, attrs, 19, &table); });
  }
}

TEST(RoiAlign, EveryNumberOfChannels) {
  for (std::int64_t channels : {1, 2, 31, 32, 33, 127, 128, 129, 257})
    for (bool maximum : {false, true}) {
      fb::RoiAlignAttrsT attrs;
      attrs.output_height = attrs.output_width = 2;
      attrs.max_mode = maximum;
      SCOPED_TRACE(channels);
      check_roi_align(DType::float32, attrs, channels);
    }
}

/// As many samples as a bin may take.
TEST(RoiAlign, ManySamples) {
  fb::RoiAlignAttrsT attrs;
  attrs.output_width = 2;
  attrs.sampling_ratio = 1024;
  attrs.max_mode = true;
  const TensorData x = random_tensor(DType::float32, {1, 3, 4, 2}, 1, 5);
  const TensorData box = tensor<float>({1, 4}, {0.25f, 0.5f, 3.0f, 2.5f});
  expect_near(run_op(fb::OpKind::roi_align, attrs, {x, box, tensor<int>({1}, {0})})[0],
              reference(attrs, x, box, {0}), 1e-6);
}

TEST(RoiAlign, TheLargestMayBeNegative) {
  fb::RoiAlignAttrsT attrs;
  attrs.output_width = 2;
  attrs.sampling_ratio = 1;
  attrs.max_mode = true;
  const TensorData x = random_tensor(DType::float32, {1, 5, 6, 3}, -5, -1);
  const TensorData box = tensor<float>({1, 4}, {0.5f, 0.75f, 5.0f, 3.5f});
  expect_near(run_op(fb::OpKind::roi_align, attrs, {x, box, tensor<int>({1}, {0})})[0],
              reference(attrs, x, box, {0}), 1e-5);
}

TEST(RoiAlign, BadValuesAreReported) {
  fb::RoiAlignAttrsT attrs;
  const TensorData x = random_tensor(DType::float32, {2, 4, 4, 1});
  const TensorData box = tensor<float>({1, 4}, {0, 0, 2, 2});
  for (std::int64_t batch : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX, INT64_MIN})
    expect_bad_value(fb::OpKind::roi_align, attrs, {x, box, tensor<std::int64_t>({1}, {batch})});
  const TensorData first = tensor<int>({1}, {0});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float v : {nan, 1e30f, 1e38f, std::numeric_limits<float>::infinity()})
    expect_bad_value(fb::OpKind::roi_align, attrs, {x, tensor<float>({1, 4}, {0, 0, v, 2}), first});
}

TEST(RoiAlign, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {1, 4, 4, 1}),
                   box = tensor<float>({1, 4}, {0, 0, 2, 2});
  const TensorData first = tensor<int>({1}, {0});
  const auto op = fb::OpKind::roi_align;
  for (std::int64_t extent : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    fb::RoiAlignAttrsT attrs;
    attrs.output_height = extent;
    expect_refused(op, attrs, {x, box, first});
  }
  for (std::int64_t ratio : {std::int64_t{-1}, std::int64_t{1025}, INT64_MAX}) {
    fb::RoiAlignAttrsT attrs;
    attrs.sampling_ratio = ratio;
    expect_refused(op, attrs, {x, box, first});
  }
  fb::RoiAlignAttrsT attrs;
  attrs.spatial_scale = std::numeric_limits<float>::quiet_NaN();
  expect_refused(op, attrs, {x, box, first});
  attrs.spatial_scale = 1;
  expect_refused(op, attrs, {x, tensor<float>({4}, {0, 0, 2, 2}), first});
  expect_refused(op, attrs, {x, box, tensor<int>({2}, {0, 0})});
  expect_refused(op, attrs, {random_tensor(DType::float32, {1, 0, 4, 1}), box, first});
}

}  // namespace
}  // namespace skiff::test
