#include <algorithm>
#include <cmath>

#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Resize and its predecessor Upsample, on any axes.
namespace skiff::onnx {
namespace {

constexpr double kMaxExtent = 1099511627776.0;  // 2^40

fb::ResizeMode resize_mode(Op& op) {
  const std::string mode = op.text("mode", "nearest");
  if (mode == "nearest") return fb::ResizeMode::nearest;
  if (mode == "linear" || mode == "bilinear") return fb::ResizeMode::linear;
  op.check(mode == "cubic", "mode is '", mode, "'");
  return fb::ResizeMode::cubic;
}

fb::CoordinateMode coordinate_mode(Op& op) {
  using C = fb::CoordinateMode;
  constexpr std::pair<std::string_view, C> kModes[] = {
      {"half_pixel", C::half_pixel},
      {"asymmetric", C::asymmetric},
      {"align_corners", C::align_corners},
      {"pytorch_half_pixel", C::pytorch_half_pixel},
      {"half_pixel_symmetric", C::half_pixel_symmetric},
      {"tf_crop_and_resize", C::tf_crop_and_resize},
      {"tf_half_pixel_for_nn", C::tf_half_pixel_for_nn}};
  const std::string name = op.text("coordinate_transformation_mode", "half_pixel");
  for (const auto& [text, mode] : kModes)
    if (name == text) return mode;
  op.refuse("coordinate_transformation_mode is '" + name + "'");
}

fb::NearestMode nearest_mode(Op& op) {
  const std::string name = op.text("nearest_mode", "round_prefer_floor");
  if (name == "round_prefer_floor") return fb::NearestMode::round_prefer_floor;
  if (name == "round_prefer_ceil") return fb::NearestMode::round_prefer_ceil;
  if (name == "floor") return fb::NearestMode::floor;
  op.check(name == "ceil", "nearest_mode is '", name, "'");
  return fb::NearestMode::ceil;
}

std::int64_t extent_of(const Op& op, double extent) {
  op.check(extent >= 0 && extent < kMaxExtent, "an extent would be ", extent);
  return static_cast<std::int64_t>(extent);
}

/// Output extents and the scales that coordinates are computed with.
struct Target {
  Ints sizes;
  std::vector<float> scales;
};

Target from_scales(Op& op, std::span<const double> scales, const std::vector<float>& roi) {
  Target target;
  const Shape& shape = op.shape(0);
  const auto rank = static_cast<std::size_t>(shape.rank());
  op.check(scales.size() == rank, "scales has ", scales.size(), " entries, needs ", rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const double part =
        roi.empty() ? 1.0 : static_cast<double>(roi[axis + rank]) - static_cast<double>(roi[axis]);
    const auto extent = static_cast<double>(shape[static_cast<int>(axis)]);
    target.sizes.push_back(extent_of(op, std::floor(extent * part * scales[axis])));
    target.scales.push_back(static_cast<float>(scales[axis]));
  }
  return target;
}

/// Sizes on some axes; with a policy one scale for all of them, so that the picture keeps its form.
Target from_sizes(Op& op, const Ints& sizes, const Ints& axes) {
  op.check(sizes.size() == axes.size(), "sizes has ", sizes.size(), " entries, needs ",
           axes.size());
  const std::string policy = op.text("keep_aspect_ratio_policy", "stretch");
  op.check(policy == "stretch" || policy == "not_larger" || policy == "not_smaller",
           "keep_aspect_ratio_policy is '", policy, "'");
  Target target{.sizes = to_ints(op.shape(0)), .scales = {}};
  std::vector<double> ratios;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::int64_t& extent = target.sizes[static_cast<std::size_t>(axes[i])];
    op.check(extent > 0, "the input has no elements");
    ratios.push_back(static_cast<double>(sizes[i]) / static_cast<double>(extent));
    extent = extent_of(op, static_cast<double>(sizes[i]));
  }
  if (policy == "stretch" || ratios.empty()) return target;
  const double scale = policy == "not_larger" ? *std::min_element(ratios.begin(), ratios.end())
                                              : *std::max_element(ratios.begin(), ratios.end());
  target.scales.assign(target.sizes.size(), 1.0f);
  for (std::int64_t axis : axes) {
    const auto extent = static_cast<double>(op.shape(0)[static_cast<int>(axis)]);
    target.sizes[static_cast<std::size_t>(axis)] = extent_of(op, std::floor(extent * scale + 0.5));
    target.scales[static_cast<std::size_t>(axis)] = static_cast<float>(scale);
  }
  return target;
}

void finish(Op& op, fb::ResizeAttrsT& attrs, Target target) {
  attrs.sizes = std::move(target.sizes);
  attrs.scales = std::move(target.scales);
  op.out(op.b.add(fb::OpKind::resize, attrs, {op.in(0)}));
}

/// Before opset 11: coordinates are output index / scale, rounded down for nearest.
void import_old(Op& op, std::vector<double> scales) {
  fb::ResizeAttrsT attrs;
  attrs.mode = resize_mode(op);
  attrs.coordinates = fb::CoordinateMode::asymmetric;
  attrs.nearest = fb::NearestMode::floor;
  finish(op, attrs, from_scales(op, scales, {}));
}

void import_upsample(Op& op) {
  std::vector<double> scales;
  if (op.version == 1) {
    scales = {1, 1, static_cast<double>(op.number("height_scale", 1)),
              static_cast<double>(op.number("width_scale", 1))};
  } else if (op.version < 9) {
    for (float scale : op.numbers("scales")) scales.push_back(static_cast<double>(scale));
  } else {
    scales = op.known_numbers(1, "scales");
  }
  import_old(op, std::move(scales));
}

Ints resize_axes(Op& op) {
  Ints axes;
  for (std::int64_t axis : op.integers("axes")) axes.push_back(op.axis(axis, op.rank(0)));
  if (op.has_attr("axes")) return axes;
  for (int axis = 0; axis < op.rank(0); ++axis) axes.push_back(axis);
  return axes;
}

/// Numbers given for some axes as numbers for all.
template <typename T>
std::vector<T> spread(const Op& op, const std::vector<T>& given, const Ints& axes, std::size_t rank,
                      T rest) {
  op.check(given.size() == axes.size(), "a list has ", given.size(), " entries, needs ",
           axes.size());
  std::vector<T> all(rank, rest);
  for (std::size_t i = 0; i < axes.size(); ++i) all[static_cast<std::size_t>(axes[i])] = given[i];
  return all;
}

std::vector<float> region(Op& op, const Ints& axes) {
  const std::vector<double> given = op.known_numbers(1, "roi");
  op.check(given.size() == 2 * axes.size(), "roi has ", given.size(), " entries, needs ",
           2 * axes.size());
  const auto rank = static_cast<std::size_t>(op.rank(0));
  std::vector<float> roi(2 * rank, 0);
  std::fill(roi.begin() + static_cast<std::ptrdiff_t>(rank), roi.end(), 1.0f);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    roi[static_cast<std::size_t>(axes[i])] = static_cast<float>(given[i]);
    roi[static_cast<std::size_t>(axes[i]) + rank] = static_cast<float>(given[i + axes.size()]);
  }
  return roi;
}

void import_resize(Op& op) {
  if (op.version < 11) return import_old(op, op.known_numbers(1, "scales"));
  fb::ResizeAttrsT attrs;
  attrs.mode = resize_mode(op);
  attrs.coordinates = coordinate_mode(op);
  attrs.nearest = nearest_mode(op);
  attrs.cubic_a = op.number("cubic_coeff_a", -0.75f);
  attrs.exclude_outside = op.flag("exclude_outside", false);
  attrs.extrapolation = op.number("extrapolation_value", 0);
  attrs.antialias = op.flag("antialias", false);
  op.ignore({"keep_aspect_ratio_policy"});
  const Ints axes = resize_axes(op);
  if (attrs.coordinates == fb::CoordinateMode::tf_crop_and_resize) attrs.roi = region(op, axes);
  const auto rank = static_cast<std::size_t>(op.rank(0));
  const bool sized = op.has(3) && op.b.shape(op.in(3)).elements() > 0;
  if (sized) return finish(op, attrs, from_sizes(op, op.known_integers(3, "sizes"), axes));
  const std::vector<double> scales = spread(op, op.known_numbers(2, "scales"), axes, rank, 1.0);
  finish(op, attrs, from_scales(op, scales, attrs.roi));
}

constexpr Adapter kAdapters[] = {
    {"Resize", {10, 11, 13, 18, 19}, import_resize},
    {"Upsample", {1, 7, 9, 10}, import_upsample},
};

}  // namespace

std::span<const Adapter> resize_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
