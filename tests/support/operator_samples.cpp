#include "tests/support/operator_samples.h"

#include "converters/dynamic/dynamic.h"
#include "converters/ir/counts.h"

namespace skiff::test {
namespace {

using ir::Graph;
using ir::ValueId;
using Op = fb::OpKind;

/// A constant of small numbers, none of them 0.
template <typename T = float>
ValueId ramp(Graph& graph, const char* name, const Shape& shape) {
  std::vector<T> numbers(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<T>(static_cast<T>(i % 7 + 1) / static_cast<T>(8));
  return graph.add_constant<T>(name, shape, numbers);
}

ValueId integers(Graph& graph, const char* name, const Shape& shape,
                 std::vector<std::int64_t> numbers) {
  return graph.add_constant<std::int64_t>(name, shape, numbers);
}

/// Convolutions and pools in their rarer forms, and what else takes pictures.
Graph pictures() {
  Graph g;
  g.name = "pictures";
  const ValueId x = g.add_input("x", DType::float32, {1, 6, 6, 4});
  fb::LrnAttrsT near;
  near.size = 3;
  const ValueId lrn = g.add(Op::lrn, near, {x}, "lrn");
  fb::ConvAttrsT same;
  same.strides = same.dilations = {1, 1};
  same.pads = {1, 1, 1, 1};
  same.sums = fb::DType::float16;
  const ValueId sum =
      g.add(Op::conv, same, {x, ramp(g, "w", {4, 3, 3, 4}), ramp(g, "b", {4}), lrn}, "residual");
  fb::ConvAttrsT up;
  up.strides = {2, 2};
  up.dilations = {1, 1};
  up.pads = {0, 0, 0, 0};
  up.output_pads = {1, 1};
  const ValueId wide =
      g.add(Op::conv_transpose, up, {sum, ramp(g, "wt", {3, 2, 2, 4}), ramp(g, "bt", {3})}, "wide");
  fb::NormAttrsT groups;
  groups.groups = 2;
  const ValueId normal =
      g.add(Op::group_norm, groups, {sum, ramp(g, "gain", {4}), ramp(g, "offset", {4})}, "normal");
  fb::PoolAttrsT two;
  two.kernel = two.strides = {2, 2};
  two.dilations = {1, 1};
  two.pads = {0, 0, 0, 0};
  const ir::NodeId pool = g.add_node(Op::pool, two, {normal}, "pool", 2);
  fb::MaxUnpoolAttrsT back;
  back.shape = {1, 6, 6, 4};
  const ValueId apart =
      g.add(Op::max_unpool, back, {g.node(pool).outputs[0], g.node(pool).outputs[1]}, "apart");
  two.function = fb::PoolFunction::lp;
  two.ceil_mode = true;
  const ValueId lp = g.add(Op::pool, two, {apart}, "lp");
  const ValueId seen =
      g.add(Op::grid_sample, fb::GridSampleAttrsT(), {x, ramp(g, "grid", {1, 2, 3, 2})}, "seen");
  fb::RoiAlignAttrsT regions;
  regions.output_height = regions.output_width = 2;
  const ValueId cut =
      g.add(Op::roi_align, regions,
            {x, ramp(g, "boxes", {2, 4}), integers(g, "pictures", {2}, {0, 0})}, "cut");
  fb::ResizeAttrsT part;
  part.mode = fb::ResizeMode::cubic;
  part.coordinates = fb::CoordinateMode::tf_crop_and_resize;
  part.antialias = true;
  part.sizes = {1, 3, 3, 4};
  part.scales = {1, 0.5f, 0.5f, 1};
  part.roi = {0, 0, 0, 0, 1, 0.5f, 0.5f, 1};
  g.outputs = {wide, lp, seen, cut, g.add(Op::resize, part, {x}, "part")};
  return g;
}

/// Scattered and gathered elements.
Graph places() {
  Graph g;
  g.name = "places";
  const ValueId x = g.add_input("x", DType::float32, {3, 4});
  const ValueId rows = g.add_input("rows", DType::int64, {3});
  fb::OneHotAttrsT hot;
  hot.axis = 1;
  hot.depth = 4;
  const ValueId flags = g.add(Op::one_hot, hot, {rows, ramp(g, "off_on", {2})}, "flags");
  fb::ScatterAttrsT add;
  add.axis = 1;
  add.reduction = fb::ScatterReduction::add;
  const ValueId more =
      g.add(Op::scatter_elements, add,
            {x, integers(g, "columns", {2, 2}, {0, 3, 1, 2}), ramp(g, "extra", {2, 2})}, "more");
  const ValueId set = g.add(Op::scatter_nd, fb::ScatterAttrsT(),
                            {more, integers(g, "row", {1, 1}, {2}), ramp(g, "new", {1, 4})}, "set");
  fb::ReverseSequenceAttrsT turn;
  turn.batch_axis = 0;
  turn.time_axis = 1;
  const ValueId turned =
      g.add(Op::reverse_sequence, turn, {set, integers(g, "lengths", {3}, {1, 2, 4})}, "turned");
  fb::GatherAttrsT each;
  each.axis = each.batch_dims = 1;
  const ValueId picked =
      g.add(Op::gather, each, {turned, integers(g, "pick", {3, 1}, {3, 0, 2})}, "picked");
  each.axis = 0;
  const ValueId pairs =
      g.add(Op::gather_nd, each, {turned, integers(g, "pair", {3, 1}, {3, 0, 2})}, "pairs");
  fb::PadAttrsT border;
  border.pads = {0, 1, 0, 1};
  const ValueId padded = g.add(Op::pad, border, {turned, ramp(g, "value", {})}, "padded");
  g.outputs = {flags, picked, pairs, padded};
  return g;
}

/// A recurrent layer with all it may take, normalisation with all it gives, fused products.
Graph steps() {
  Graph g;
  g.name = "steps";
  const ValueId x = g.add_input("x", DType::float32, {3, 2, 4});
  fb::NormAttrsT last;
  last.axis = 2;
  const ir::NodeId normal = g.add_node(Op::layer_norm, last, {x}, "normal", 3);
  fb::RnnAttrsT layer;
  layer.hidden_size = 3;
  layer.activations = {fb::UnaryFunction::hard_sigmoid, fb::UnaryFunction::tanh,
                       fb::UnaryFunction::leaky_relu};
  layer.activation_alpha = {0.2f, 0.2f};
  layer.activation_beta = {0.5f};
  layer.cell_clip = 2;
  const ir::NodeId lstm =
      g.add_node(Op::rnn, layer,
                 {g.node(normal).outputs[0], ramp(g, "w", {1, 12, 4}), ramp(g, "r", {1, 12, 3}),
                  ramp(g, "b", {1, 24}), integers(g, "lengths", {2}, {3, 2}),
                  ramp(g, "h", {1, 2, 3}), ramp(g, "c", {1, 2, 3}), ramp(g, "peephole", {1, 9})},
                 "lstm", 3);
  fb::MatMulAttrsT fused;
  fused.activation = fb::UnaryFunction::clip;
  fused.beta = 6;
  fused.sums = fb::DType::float16;
  const ValueId dense =
      g.add(Op::matmul, fused,
            {g.node(normal).outputs[0], ramp(g, "wm", {4, 4}), ramp(g, "bm", {4}), x}, "dense");
  fb::BinaryAttrsT sum;
  sum.activation = fb::UnaryFunction::relu;
  const ValueId both = g.add(Op::binary, sum, {dense, ramp(g, "row", {4})}, "both");
  fb::BinaryAttrsT power;
  power.function = fb::BinaryFunction::pow;
  const ValueId squared = g.add(Op::binary, power, {both, integers(g, "two", {}, {2})}, "squared");
  g.outputs = {squared, g.node(lstm).outputs[0], g.node(lstm).outputs[2],
               g.node(normal).outputs[1]};
  return g;
}

/// Numbers stored in eight bits, a scale an axis and a scale a block.
Graph eighths() {
  Graph g;
  g.name = "eighths";
  const ValueId x = g.add_input("x", DType::float32, {2, 6});
  fb::QuantizeAttrsT axis;
  axis.axis = 1;
  axis.to = fb::DType::int8;
  const std::vector<std::int8_t> zeros = {0, 1, 2, 3, 4, 5};
  const ValueId zero = g.add_constant<std::int8_t>("zero", {6}, zeros);
  const ValueId stored = g.add(Op::quantize, axis, {x, ramp(g, "scale", {6}), zero}, "stored");
  fb::QuantizeAttrsT blocks;
  blocks.axis = 1;
  blocks.block_size = 3;
  blocks.to = fb::DType::float32;
  const ValueId back = g.add(Op::dequantize, blocks, {stored, ramp(g, "scales", {2, 2})}, "back");
  fb::CumulativeAttrsT products;
  products.axis = 1;
  products.function = fb::CumulativeFunction::product;
  g.outputs = {g.add(Op::cumulative, products, {back}, "products")};
  return g;
}

/// Attention with its heads apart and with its heads in the last axis.
Graph heads() {
  Graph g;
  g.name = "heads";
  const ValueId q = g.add_input("q", DType::float32, {1, 4, 3, 2});
  const ValueId k = ramp(g, "k", {1, 2, 5, 2}), v = ramp(g, "v", {1, 2, 5, 3});
  const ValueId apart =
      g.add(Op::attention, fb::AttentionAttrsT(), {q, k, v, ramp(g, "mask", {3, 5})}, "apart");
  fb::AttentionAttrsT folded;
  folded.q_heads = folded.kv_heads = 2;
  const ValueId x = g.add_input("x", DType::float32, {1, 3, 4});
  g.outputs = {apart, g.add(Op::attention, folded, {x, x, x}, "folded")};
  return g;
}

fb::QuantizationT quantization(std::vector<float> scales, std::vector<std::int64_t> zeros) {
  fb::QuantizationT q;
  q.scale = std::move(scales), q.zero_point = std::move(zeros);
  return q;
}

/// Products of quantized numbers: one gives such numbers, a depthwise one of those gives floats.
Graph bytes() {
  Graph g;
  g.name = "bytes";
  const ValueId x = g.add_input("x", DType::uint8, {1, 3, 4, 3});
  g.value(x).quantization = quantization({0.5f}, {7});
  const ValueId w = g.add_constant<std::int8_t>(
      "w", {3, 1, 1, 3}, std::vector<std::int8_t>{1, -2, 3, -4, 5, -6, 7, -8, 9});
  g.value(w).quantization = quantization({0.5f, 0.25f, 1}, {});
  fb::ConvAttrsT first;
  first.to = fb::DType::int8;
  first.activation = fb::UnaryFunction::relu;
  const ValueId y = g.add(Op::integer_conv, first, {x, w, ramp(g, "bias", {3})}, "y");
  g.value(y).quantization = quantization({0.25f}, {-3});
  const ValueId each = g.add_constant<std::int8_t>("each", {3, 2, 1, 1},
                                                   std::vector<std::int8_t>{1, -1, 2, 3, -3, 4});
  g.value(each).quantization = quantization({0.5f}, {0});
  fb::ConvAttrsT depthwise;
  depthwise.groups = 3;
  depthwise.pads = {1, 0, 0, 0};
  g.outputs = {g.add(Op::integer_conv, depthwise, {y, each}, "sums"), y};
  return g;
}

/// The best boxes, as many as there are.
Graph boxes() {
  return dynamic::generalise(
      {{"boxes", {{1, {}}, {6, {}}, {4, {}}}}}, {}, {},
      [](const dynamic::Sizes& sizes) {
        Graph g;
        g.name = "boxes";
        g.assumption = sizes.assumption;
        const ValueId x = g.add_input("boxes", DType::float32, {1, 6, 4});
        fb::NmsAttrsT best;
        best.max_output_boxes_per_class = 3;
        best.iou_threshold = best.score_threshold = 0.5f;
        best.has_score_threshold = true;
        const ir::NodeId kept =
            g.add_node(Op::non_max_suppression, best, {x, ramp(g, "scores", {1, 2, 6})}, "kept");
        ir::assume_count(g, kept);
        g.outputs = {g.node(kept).outputs[0]};
        return g;
      },
      [](const Graph&) {});
}

constexpr ModelSample kSamples[] = {{"pictures", pictures}, {"places", places}, {"steps", steps},
                                    {"eighths", eighths},   {"heads", heads},   {"boxes", boxes},
                                    {"bytes", bytes}};

}  // namespace

std::span<const ModelSample> operator_samples() noexcept { return kSamples; }

}  // namespace skiff::test
