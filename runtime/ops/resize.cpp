#include <algorithm>
#include <cmath>

#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/resize_axis.h"

namespace skiff {
namespace {

void check_modes(const NodeView& node, const fb::ResizeAttrs& attrs) {
  check(node, attrs.mode() <= fb::ResizeMode::MAX, "mode ", static_cast<int>(attrs.mode()),
        " is not known");
  check(node, attrs.coordinates() <= fb::CoordinateMode::MAX, "coordinates ",
        static_cast<int>(attrs.coordinates()), " are not known");
  check(node, attrs.nearest() <= fb::NearestMode::MAX, "nearest ",
        static_cast<int>(attrs.nearest()), " is not known");
  check(node, std::isfinite(attrs.cubic_a()), "cubic_a is not finite");
}

/// `count` finite numbers, or none.
void check_floats(const NodeView& node, const flatbuffers::Vector<float>* field, int count,
                  std::string_view what) {
  if (field == nullptr || field->size() == 0) return;
  check(node, field->size() == static_cast<unsigned>(count), what, " has ", field->size(),
        " entries, needs ", count);
  for (const float value : *field) check(node, std::isfinite(value), what, " is not finite");
}

/// Positions must be numbers that integers can hold, and tables must be small.
void check_axis(const NodeView& node, const ResizeAxis& axis, int index) {
  constexpr double kMost = 1e12;
  check(node, axis.in > 0 || axis.out == 0, "axis ", index, " is empty");
  check(node, axis.scale > 1 / kMost && axis.scale < kMost, "the scale of axis ", index, " is ",
        axis.scale);
  check(node, std::abs(axis.roi_start) < kMost && std::abs(axis.roi_end) < kMost, "roi of axis ",
        index, " is out of range");
  if (axis.mode == fb::ResizeMode::nearest || !axis.antialias || axis.out == 0) return;
  const auto in = static_cast<double>(axis.in), out = static_cast<double>(axis.out);
  check(node, out * (4 / std::min(axis.scale, 1.0) + 4) <= 64 * (in + out), "the scale ",
        axis.scale, " of axis ", index, " does not fit its extents ", axis.in, " and ", axis.out);
}

}  // namespace

ResizeAxis resize_axis(const fb::ResizeAttrs& attrs, const Shape& in, const Shape& out,
                       int axis) noexcept {
  ResizeAxis a;
  const auto i = static_cast<unsigned>(axis);
  a.mode = attrs.mode();
  a.coordinates = attrs.coordinates();
  a.nearest = attrs.nearest();
  a.in = in[axis];
  a.out = out[axis];
  a.cubic_a = static_cast<double>(attrs.cubic_a());
  a.exclude_outside = attrs.exclude_outside();
  a.antialias = attrs.antialias();
  if (attrs.scales() != nullptr && attrs.scales()->size() > i)
    a.scale = static_cast<double>(attrs.scales()->Get(i));
  else if (a.in > 0 && a.out > 0)
    a.scale = static_cast<double>(a.out) / static_cast<double>(a.in);
  const auto rank = static_cast<unsigned>(in.rank());
  if (attrs.roi() != nullptr && attrs.roi()->size() == 2 * rank) {
    a.roi_start = static_cast<double>(attrs.roi()->Get(i));
    a.roi_end = static_cast<double>(attrs.roi()->Get(rank + i));
  }
  return a;
}

void infer_resize(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::ResizeAttrs>();
  const TensorInfo& x = node.input(0);
  const int rank = x.shape.rank();
  check_modes(node, attrs);
  check(node, holds(NumericTypes{}, x.dtype), "operand is ", x.dtype, ", must be a number");
  const Shape sizes = read_dims(node, attrs.sizes(), "sizes");
  check(node, sizes.rank() == rank, "sizes has ", sizes.rank(), " entries, needs ", rank);
  check_floats(node, attrs.scales(), rank, "scales");
  check_floats(node, attrs.roi(), 2 * rank, "roi");
  for (int axis = 0; axis < rank; ++axis)
    check_axis(node, resize_axis(attrs, x.shape, sizes, axis), axis);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = sizes;
}

}  // namespace skiff
