#include <algorithm>

#include "converters/ir/counts.h"
#include "converters/ir/first_results.h"
#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Operators that read or write places given by tensors.
namespace skiff::onnx {
namespace {

template <fb::OpKind kind>
void import_gather(Op& op) {
  fb::GatherAttrsT attrs;
  if constexpr (kind == fb::OpKind::gather_nd)
    attrs.batch_dims = op.integer("batch_dims", 0);
  else
    attrs.axis = op.axis(op.integer("axis", 0), op.rank(0));
  op.out(op.b.add(kind, attrs, {op.in(0), op.in(1)}));
}

fb::ScatterReduction reduction(Op& op) {
  const std::string name = op.text("reduction", "none");
  if (name == "none") return fb::ScatterReduction::none;
  if (name == "add") return fb::ScatterReduction::add;
  if (name == "mul") return fb::ScatterReduction::mul;
  if (name == "max") return fb::ScatterReduction::maximum;
  op.check(name == "min", "reduction is '", name, "'");
  return fb::ScatterReduction::minimum;
}

template <fb::OpKind kind>
void import_scatter(Op& op) {
  fb::ScatterAttrsT attrs;
  if constexpr (kind == fb::OpKind::scatter_elements)
    attrs.axis = op.axis(op.integer("axis", 0), op.rank(0));
  attrs.reduction = reduction(op);
  op.out(op.b.add(kind, attrs, {op.in(0), op.in(1), op.in(2)}));
}

void import_one_hot(Op& op) {
  fb::OneHotAttrsT attrs;
  attrs.axis = op.axis(op.integer("axis", -1), op.rank(0) + 1);
  attrs.depth = op.known_integer(1, "depth");
  op.check(attrs.depth >= 1, "depth is ", attrs.depth);
  const DType index = op.dtype(0);
  const bool whole = index == DType::int32 || index == DType::int64;
  const ValueId indices = whole ? op.in(0) : op.b.cast(op.in(0), DType::int64);
  op.out(op.b.add(fb::OpKind::one_hot, attrs, {indices, op.in(2)}));
}

void import_reverse_sequence(Op& op) {
  fb::ReverseSequenceAttrsT attrs;
  attrs.batch_axis = op.axis(op.integer("batch_axis", 1), op.rank(0));
  attrs.time_axis = op.axis(op.integer("time_axis", 0), op.rank(0));
  op.out(op.b.add(fb::OpKind::reverse_sequence, attrs, {op.in(0), op.in(1)}));
}

void import_grid_sample(Op& op) {
  fb::GridSampleAttrsT attrs;
  const std::string mode = op.text("mode", "linear"), padding = op.text("padding_mode", "zeros");
  const bool nearest = mode == "nearest", cubic = mode == "cubic" || mode == "bicubic";
  op.check(nearest || cubic || mode == "linear" || mode == "bilinear", "mode is '", mode, "'");
  attrs.mode = nearest ? fb::ResizeMode::nearest
               : cubic ? fb::ResizeMode::cubic
                       : fb::ResizeMode::linear;
  const bool border = padding == "border", reflection = padding == "reflection";
  op.check(border || reflection || padding == "zeros", "padding_mode is '", padding, "'");
  attrs.padding = border       ? fb::GridPadding::border
                  : reflection ? fb::GridPadding::reflection
                               : fb::GridPadding::zeros;
  attrs.align_corners = op.flag("align_corners", false);
  const ValueId x = op.b.channels_last(op.in(0));
  op.out(op.b.channels_first(op.b.add(fb::OpKind::grid_sample, attrs, {x, op.in(1)})));
}

void import_roi_align(Op& op) {
  fb::RoiAlignAttrsT attrs;
  attrs.output_height = op.integer("output_height", 1);
  attrs.output_width = op.integer("output_width", 1);
  attrs.sampling_ratio = op.integer("sampling_ratio", 0);
  attrs.spatial_scale = op.number("spatial_scale", 1);
  const std::string place = op.text("coordinate_transformation_mode",
                                    op.version < 16 ? "output_half_pixel" : "half_pixel");
  op.check(place == "half_pixel" || place == "output_half_pixel",
           "coordinate_transformation_mode is '", place, "'");
  attrs.half_pixel = place == "half_pixel";
  const std::string mode = op.text("mode", "avg");
  op.check(mode == "avg" || mode == "max", "mode is '", mode, "', must be avg or max");
  attrs.max_mode = mode == "max";
  const ValueId x = op.b.channels_last(op.in(0));
  const ValueId y = op.b.add(fb::OpKind::roi_align, attrs, {x, op.in(1), op.in(2)});
  op.out(op.b.channels_first(y));
}

/// What is kept is counted when the model runs, unless the condition is known.
void import_compress(Op& op) {
  const bool flat = !op.has_attr("axis");
  const int axis = flat ? -1 : op.axis(op.integer("axis"), op.rank(0));
  if (!op.b.known(op.in(1))) {
    fb::AxisAttrsT attrs;
    attrs.axis = axis;
    return op.out(op.b.add(fb::OpKind::compress, attrs, {op.in(0), op.in(1)}));
  }
  const ValueId x = flat ? op.b.reshape(op.in(0), {op.shape(0).elements()}) : op.in(0);
  const Ints condition = op.b.integers(op.in(1));
  Ints kept;
  for (std::size_t i = 0; i < condition.size(); ++i)
    if (condition[i] != 0) kept.push_back(static_cast<std::int64_t>(i));
  const auto count = static_cast<std::int64_t>(kept.size());
  op.out(op.b.gather(x, op.b.from_integers(DType::int64, {count}, kept), std::max(axis, 0)));
}

/// The most results of which a run may find out how many are wanted.
constexpr std::int64_t kMostOpen = 1 << 24;

/// Of a k that the run finds out the results are as many as there can be, sorted, and then cut.
void import_top_k(Op& op) {
  fb::TopKAttrsT attrs;
  attrs.axis = op.axis(op.integer("axis", -1), op.rank(0));
  const bool open = op.version >= 10 && !op.b.known(op.in(1));
  if (open) {
    op.check(op.shape(1).elements() == 1, "k has the shape ", op.shape(1));
    const std::int64_t extent = op.shape(0)[static_cast<int>(attrs.axis)];
    attrs.k = ir::upper_bound(op.b.graph(), op.in(1), extent);
    op.check(attrs.k <= kMostOpen, "k is not known at conversion, and may be up to ", attrs.k);
  } else {
    attrs.k = op.version < 10 ? op.integer("k") : op.known_integer(1, "k");
  }
  attrs.largest = op.flag("largest", true);
  attrs.sorted = op.flag("sorted", true) || open;
  op.check(attrs.k >= 0, "k is ", attrs.k);
  std::vector<ValueId> results = op.b.add_many(fb::OpKind::top_k, attrs, {op.in(0)}, 2);
  if (open) ir::keep_first<std::int64_t>(op.b, results, attrs.axis, op.in(1), attrs.k);
  op.out(0, results[0]);
  op.out(1, results[1]);
}

void import_unique(Op& op) {
  fb::UniqueAttrsT attrs;
  attrs.axis = op.has_attr("axis") ? op.axis(op.integer("axis"), op.rank(0)) : -1;
  attrs.sorted = op.flag("sorted", true);
  std::size_t outputs = 1;
  for (int i = 1; i < 4; ++i)
    if (op.wants(i)) outputs = static_cast<std::size_t>(i) + 1;
  const auto results = op.b.add_many(fb::OpKind::unique, attrs, {op.in(0)}, outputs);
  for (std::size_t i = 0; i < outputs; ++i)
    if (op.wants(static_cast<int>(i))) op.out(static_cast<int>(i), results[i]);
}

void import_non_max_suppression(Op& op) {
  fb::NmsAttrsT attrs;
  attrs.center_point_box = op.flag("center_point_box", false);
  if (op.has(2))
    attrs.max_output_boxes_per_class =
        std::max<std::int64_t>(0, op.known_integer(2, "max_output_boxes_per_class"));
  attrs.iou_threshold = op.has(3) ? static_cast<float>(op.known_number(3, "iou_threshold")) : 0.0f;
  attrs.has_score_threshold = op.has(4);
  if (op.has(4)) attrs.score_threshold = static_cast<float>(op.known_number(4, "score_threshold"));
  op.out(op.b.add(fb::OpKind::non_max_suppression, attrs, {op.in(0), op.in(1)}));
}

constexpr Adapter kAdapters[] = {
    {"Compress", {9, 11}, import_compress},
    {"Gather", {1, 11, 13}, import_gather<fb::OpKind::gather>},
    {"GatherElements", {11, 13}, import_gather<fb::OpKind::gather_elements>},
    {"GatherND", {11, 12, 13}, import_gather<fb::OpKind::gather_nd>},
    {"GridSample", {16, 20, 22}, import_grid_sample},
    {"NonMaxSuppression", {10, 11}, import_non_max_suppression},
    {"NonZero", {9, 13}, [](Op& op) { op.out(op.b.add(fb::OpKind::non_zero, {}, {op.in(0)})); }},
    {"OneHot", {9, 11}, import_one_hot},
    {"ReverseSequence", {10}, import_reverse_sequence},
    {"RoiAlign", {10, 16, 22}, import_roi_align},
    {"Scatter", {9, 11}, import_scatter<fb::OpKind::scatter_elements>},
    {"ScatterElements", {11, 13, 16, 18}, import_scatter<fb::OpKind::scatter_elements>},
    {"ScatterND", {11, 13, 16, 18}, import_scatter<fb::OpKind::scatter_nd>},
    {"TopK", {1, 10, 11, 24}, import_top_k},
    {"Unique", {11}, import_unique},
};

}  // namespace

std::span<const Adapter> index_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
