#include "tests/support/model_samples.h"

#include <random>

#include "converters/dynamic/dynamic.h"
#include "converters/golden.h"
#include "converters/ir/counts.h"
#include "converters/writer.h"

namespace skiff::test {
namespace {

using ir::Graph;
using ir::ValueId;
using Op = fb::OpKind;

ValueId weights(Graph& graph, const char* name, const Shape& shape) {
  std::mt19937 engine(static_cast<unsigned>(graph.value_count()));  // the same on every system
  std::vector<float> numbers(static_cast<std::size_t>(shape.elements()));
  for (float& x : numbers) x = static_cast<float>(engine() % 2001) / 1000.0f - 1.0f;
  return graph.add_constant<float>(name, shape, numbers);
}

ValueId integers(Graph& graph, const char* name, std::vector<std::int64_t> numbers) {
  const Shape shape{static_cast<std::int64_t>(numbers.size())};
  return graph.add_constant<std::int64_t>(name, shape, numbers);
}

template <typename Attrs>
Attrs on_axis(std::int64_t axis) {
  Attrs attrs;
  attrs.axis = axis;
  return attrs;
}

fb::UnaryAttrsT unary(fb::UnaryFunction function) {
  fb::UnaryAttrsT attrs;
  attrs.function = function;
  return attrs;
}

fb::BinaryAttrsT binary(fb::BinaryFunction function) {
  fb::BinaryAttrsT attrs;
  attrs.function = function;
  return attrs;
}

fb::ReduceAttrsT reduce(fb::ReduceFunction function, std::vector<std::int64_t> axes) {
  fb::ReduceAttrsT attrs;
  attrs.function = function;
  attrs.axes = std::move(axes);
  return attrs;
}

fb::ShapeAttrsT shaped(std::vector<std::int64_t> shape) {
  fb::ShapeAttrsT attrs;
  attrs.shape = std::move(shape);
  return attrs;
}

fb::TransposeAttrsT permuted(std::vector<std::int64_t> perm) {
  fb::TransposeAttrsT attrs;
  attrs.perm = std::move(perm);
  return attrs;
}

fb::ConvAttrsT conv(std::int64_t stride, std::int64_t groups) {
  fb::ConvAttrsT attrs;
  attrs.strides = {stride, stride};
  attrs.dilations = {1, 1};
  attrs.pads = {1, 1, 1, 1};
  attrs.groups = groups;
  attrs.activation = fb::UnaryFunction::relu;
  return attrs;
}

/// Convolution, depthwise convolution, pooling, product, softmax.
Graph picture() {
  Graph g;
  g.name = "picture";
  ValueId x = g.add_input("image", DType::float32, {1, 8, 8, 3});
  x = g.add(Op::conv, conv(2, 1), {x, weights(g, "w0", {4, 3, 3, 3}), weights(g, "b0", {4})},
            "conv");
  x = g.add(Op::conv, conv(1, 4), {x, weights(g, "w1", {4, 3, 3, 1}), weights(g, "b1", {4})},
            "depthwise");
  fb::PoolAttrsT pool;
  pool.kernel = pool.strides = {2, 2};
  pool.dilations = {1, 1};
  pool.pads = {0, 0, 0, 0};
  x = g.add(Op::pool, pool, {x}, "pool");
  x = g.add(Op::reshape, shaped({1, 16}), {x}, "flatten");
  x = g.add(Op::matmul, fb::MatMulAttrsT(), {x, weights(g, "w2", {16, 5}), weights(g, "b2", {5})},
            "dense");
  x = g.add(Op::softmax, on_axis<fb::SoftmaxAttrsT>(1), {x}, "scores");
  g.outputs = {x};
  return g;
}

/// Elementwise functions, reductions, indexing, quantisation.
Graph numbers() {
  Graph g;
  g.name = "numbers";
  const ValueId a = g.add_input("a", DType::float32, {4, 6});
  const ValueId picks = g.add_input("picks", DType::int64, {2, 1});
  const ValueId gate = g.add(Op::unary, unary(fb::UnaryFunction::sigmoid), {a}, "gate");
  const ValueId row = weights(g, "row", {6});
  const ValueId sum = g.add(Op::binary, binary(fb::BinaryFunction::add), {gate, row}, "sum");
  const ValueId less = g.add(Op::binary, binary(fb::BinaryFunction::less), {a, sum}, "less");
  const ValueId either = g.add(Op::where, {}, {less, a, sum}, "either");
  const ValueId mean = g.add(Op::reduce, reduce(fb::ReduceFunction::mean, {1}), {either}, "mean");
  fb::SoftmaxAttrsT logs = on_axis<fb::SoftmaxAttrsT>(0);
  logs.function = fb::SoftmaxFunction::log_softmax;
  const ValueId soft = g.add(Op::softmax, logs, {mean}, "soft");
  const ValueId best = g.add(Op::arg_reduce, on_axis<fb::ArgReduceAttrsT>(1), {either}, "best");
  fb::TopKAttrsT top = on_axis<fb::TopKAttrsT>(1);
  top.k = 2;
  const ir::NodeId two = g.add_node(Op::top_k, top, {either}, "two", 2);
  const ValueId taken =
      g.add(Op::gather, fb::GatherAttrsT(), {either, integers(g, "rows", {3, 0, 3})}, "taken");
  const ValueId along = g.add(Op::gather_elements, on_axis<fb::GatherAttrsT>(1),
                              {either, g.node(two).outputs[1]}, "along");
  const ValueId run = g.add(Op::cumulative, on_axis<fb::CumulativeAttrsT>(1), {taken}, "run");
  const float scale = 0.05f;
  const ValueId step = g.add_constant<float>("step", {}, std::span(&scale, 1));
  fb::QuantizeAttrsT eight;
  eight.to = fb::DType::int8;
  const ValueId stored = g.add(Op::quantize, eight, {run, step}, "stored");
  const ValueId back = g.add(Op::dequantize, fb::QuantizeAttrsT(), {stored, step}, "back");
  const ValueId found = g.add(Op::gather_nd, fb::GatherAttrsT(), {either, picks}, "found");
  g.outputs = {soft, best, g.node(two).outputs[0], along, back, found};
  return g;
}

fb::SliceAttrsT sliced(std::vector<std::int64_t> starts, std::vector<std::int64_t> sizes,
                       std::vector<std::int64_t> steps) {
  fb::SliceAttrsT attrs;
  attrs.starts = std::move(starts);
  attrs.sizes = std::move(sizes);
  attrs.steps = std::move(steps);
  return attrs;
}

/// Movement: slices, joins, permutations, borders, sizes of pictures.
Graph shapes() {
  Graph g;
  g.name = "shapes";
  const ValueId x = g.add_input("x", DType::float32, {1, 4, 4, 4});
  const ValueId half =
      g.add(Op::slice, sliced({0, 0, 0, 0}, {1, 2, 4, 4}, {1, 1, 1, 1}), {x}, "half");
  const ValueId back =
      g.add(Op::slice, sliced({0, 3, 3, 0}, {1, 2, 4, 4}, {1, -2, -1, 1}), {x}, "back");
  const ValueId joined = g.add(Op::concat, on_axis<fb::AxisAttrsT>(1), {half, back}, "joined");
  const ValueId turned = g.add(Op::transpose, permuted({0, 3, 1, 2}), {joined}, "turned");
  fb::PadAttrsT border;
  border.pads = {0, 0, 1, 2, 0, 0, 1, 0};
  border.mode = fb::PadMode::reflect;
  const ValueId padded = g.add(Op::pad, border, {turned}, "padded");
  fb::ResizeAttrsT size;
  size.mode = fb::ResizeMode::linear;
  size.sizes = {1, 7, 5, 4};
  const ValueId resized = g.add(Op::resize, size, {x}, "resized");
  fb::BlockAttrsT block;
  block.block_size = 2;
  const ValueId deep = g.add(Op::depth_to_space, block, {x}, "deep");
  const ValueId shallow = g.add(Op::space_to_depth, block, {deep}, "shallow");
  const ValueId tiled = g.add(Op::tile, shaped({2, 1, 1, 1}), {shallow}, "tiled");
  const ValueId wide = g.add(Op::expand, shaped({2, 4, 4, 4}), {joined}, "wide");
  const ValueId total = g.add(Op::binary, binary(fb::BinaryFunction::mul), {tiled, wide}, "total");
  fb::CastAttrsT whole;
  whole.to = fb::DType::int32;
  const ValueId cast = g.add(Op::cast, whole, {total}, "cast");
  g.outputs = {padded, resized, cast};
  return g;
}

/// Sequences: layer norm, products, a recurrent layer.
Graph sequence() {
  Graph g;
  g.name = "sequence";
  const ValueId x = g.add_input("x", DType::float32, {3, 2, 4});
  const ValueId normal = g.add(Op::layer_norm, on_axis<fb::NormAttrsT>(2),
                               {x, weights(g, "scale", {4}), weights(g, "shift", {4})}, "normal");
  fb::RnnAttrsT layer;
  layer.hidden_size = 3;
  layer.kind = fb::RnnKind::gru;
  const ir::NodeId rnn = g.add_node(
      Op::rnn, layer, {normal, weights(g, "w", {1, 9, 4}), weights(g, "r", {1, 9, 3})}, "gru", 2);
  const ValueId flat = g.add(Op::reshape, shaped({3, 2, 3}), {g.node(rnn).outputs[0]}, "flat");
  fb::MatMulAttrsT query;
  query.transpose_b = true;
  query.scale = 0.5f;
  const ValueId scores = g.add(Op::matmul, query, {flat, flat}, "match");
  const ValueId shares = g.add(Op::softmax, on_axis<fb::SoftmaxAttrsT>(2), {scores}, "shares");
  const ValueId mixed = g.add(Op::matmul, fb::MatMulAttrsT(), {shares, flat}, "mixed");
  const ValueId reversed = g.add(Op::lp_norm, on_axis<fb::LpNormAttrsT>(2), {mixed}, "unit");
  fb::TriluAttrsT lower;
  lower.upper = false;
  const ValueId triangle = g.add(Op::trilu, lower, {reversed}, "triangle");
  g.outputs = {triangle, g.node(rnn).outputs[1]};
  return g;
}

/// Sizes that stay open, as one graph: shapes in attributes, a constant that is cut to size.
Graph sizes_at(std::int64_t batch, std::int64_t length) {
  Graph g;
  g.name = "sizes";
  const ValueId x = g.add_input("x", DType::float32, {batch, length, 4});
  const ValueId memory = g.add_input("memory", DType::float32, {batch, 3});
  std::vector<float> ramp(static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i) / 8;
  const ValueId places = g.add_constant<float>("places", {length, 1}, ramp);
  const ValueId placed = g.add(Op::binary, binary(fb::BinaryFunction::add), {x, places}, "placed");
  const ValueId tail =
      g.add(Op::slice, sliced({0, length / 2, 0}, {batch, length - length / 2, 4}, {1, 1, 1}),
            {placed}, "tail");
  fb::PadAttrsT border;
  border.pads = {0, 0, 0, 0, length / 2, 0};
  const ValueId padded = g.add(Op::pad, border, {tail}, "padded");
  const ValueId flat = g.add(Op::reshape, shaped({batch * length, 4}), {padded}, "flat");
  const ValueId dense =
      g.add(Op::matmul, fb::MatMulAttrsT(), {flat, weights(g, "w", {4, 3})}, "dense");
  const ValueId rows = g.add(Op::reshape, shaped({batch, length, 3}), {dense}, "rows");
  const ValueId mean = g.add(Op::reduce, reduce(fb::ReduceFunction::mean, {1}), {rows}, "mean");
  const ValueId flatter = g.add(Op::reshape, shaped({batch, 3}), {mean}, "flatter");
  const ValueId next =
      g.add(Op::binary, binary(fb::BinaryFunction::add), {flatter, memory}, "next");
  const ValueId wide = g.add(Op::expand, shaped({batch, length, 3}),
                             {g.add(Op::reshape, shaped({batch, 1, 3}), {next}, "column")}, "wide");
  const ValueId y = g.add(Op::binary, binary(fb::BinaryFunction::mul), {rows, wide}, "y");
  g.outputs = {y, g.add(Op::identity, {}, {next}, "memory_out")};
  return g;
}

Graph sizes() {
  const std::vector<convert::DeclaredInput> inputs = {
      {"x", {{-1, "batch"}, {-1, "length"}, {4, {}}}}, {"memory", {{-1, "batch"}, {3, {}}}}};
  return dynamic::generalise(
      inputs, {}, {{"batch", 1, 1, 4, 1}, {"length", 2, 6, 12, 1}},
      [](const dynamic::Sizes& sizes) {
        const Shape& x = sizes.shapes.at("x");
        return sizes_at(x[0], x[1]);
      },
      [](const Graph&) {});
}

/// A node that counts its results, as importers add it.
ir::NodeId counting(Graph& g, Op op, ir::Attributes attrs, std::vector<ValueId> inputs,
                    std::string name, std::size_t outputs = 1) {
  const ir::NodeId id =
      g.add_node(op, std::move(attrs), std::move(inputs), std::move(name), outputs);
  ir::assume_count(g, id);
  return id;
}

/// Sizes that depend on data, one on another, and what follows from them: products, reductions,
/// shapes in attributes, a constant that is cut to size.
Graph counts_with(int assumption) {
  Graph g;
  g.name = "counts";
  g.assumption = assumption;
  const ValueId x = g.add_input("x", DType::float32, {6, 4});
  const ValueId zero = weights(g, "level", {1});
  const ValueId high = g.add(Op::binary, binary(fb::BinaryFunction::greater), {x, zero}, "high");
  const ValueId places = g.node(counting(g, Op::non_zero, {}, {high}, "places")).outputs[0];
  const std::int64_t found = g.value(places).shape[1];
  const ValueId rows = g.add(Op::transpose, permuted({1, 0}), {places}, "rows");
  const ValueId picked = g.add(Op::gather_nd, fb::GatherAttrsT(), {x, rows}, "picked");
  const ValueId ramp = weights(g, "ramp", {24});
  const ValueId cut = g.add(Op::slice, sliced({0}, {found}, {1}), {ramp}, "cut");
  const ValueId sum = g.add(Op::binary, binary(fb::BinaryFunction::mul), {picked, cut}, "sum");
  const ValueId total = g.add(Op::reduce, reduce(fb::ReduceFunction::sum, {0}), {sum}, "total");
  const ValueId best = g.add(Op::reduce, reduce(fb::ReduceFunction::maximum, {1}), {x}, "best");
  const ValueId row = g.add(Op::reshape, shaped({6}), {best}, "row");
  const ValueId good = g.add(Op::binary, binary(fb::BinaryFunction::greater), {row, zero}, "good");
  const ValueId kept =
      g.node(counting(g, Op::compress, on_axis<fb::AxisAttrsT>(0), {x, good}, "kept")).outputs[0];
  const std::int64_t count = g.value(kept).shape[0];
  const ValueId dense =
      g.add(Op::matmul, fb::MatMulAttrsT(), {kept, weights(g, "w", {4, 3})}, "dense");
  const ValueId shares = g.add(Op::softmax, on_axis<fb::SoftmaxAttrsT>(1), {dense}, "shares");
  fb::PadAttrsT border;
  border.pads = {0, 0, 1, 0};
  const ValueId padded = g.add(Op::pad, border, {shares}, "padded");
  fb::CastAttrsT whole;
  whole.to = fb::DType::int32;
  const ValueId signs = g.add(Op::cast, whole, {padded}, "signs");
  const ir::NodeId kinds =
      counting(g, Op::unique, on_axis<fb::UniqueAttrsT>(0), {signs}, "kinds", 4);
  const ValueId twice =
      g.add(Op::expand, shaped({2, count, 3}),
            {g.add(Op::reshape, shaped({1, count, 3}), {shares}, "one")}, "twice");
  g.outputs = {rows, total, shares, twice, g.node(kinds).outputs[0], g.node(kinds).outputs[2]};
  return g;
}

Graph counts() {
  return dynamic::generalise(
      {{"x", {{6, {}}, {4, {}}}}}, {}, {},
      [](const dynamic::Sizes& sizes) { return counts_with(sizes.assumption); },
      [](const Graph&) {});
}

std::vector<Graph> bodies_of(std::initializer_list<Graph> graphs) { return graphs; }

/// Of an if_else: scales or bends what it captures.
Graph branch(const char* name, bool bends) {
  Graph g;
  g.name = name;
  const ValueId x = g.add_input("captured", DType::float32, {2, 3});
  const ValueId y = bends ? g.add(Op::unary, unary(fb::UnaryFunction::tanh), {x}, "bent")
                          : g.add(Op::binary, binary(fb::BinaryFunction::mul),
                                  {x, weights(g, "by", {3})}, "by x");
  g.outputs = {y, x};
  return g;
}

/// Of a loop: adds what it captures, stops early when its sum is large; collects on the way.
Graph turn() {
  Graph g;
  g.name = "turn";
  g.add_input("number", DType::int64, {});
  g.add_input("goes on", DType::boolean, {});
  const ValueId sum = g.add_input("sum", DType::float32, {2, 3}),
                last = g.add_input("last", DType::float32, {2, 3}),
                by = g.add_input("by", DType::float32, {2, 3});
  const ValueId next = g.add(Op::binary, binary(fb::BinaryFunction::add), {sum, by}, "next");
  const ValueId old = g.add(Op::identity, {}, {sum}, "old");
  const ValueId row = g.add(Op::reduce, reduce(fb::ReduceFunction::mean, {0}), {last}, "row");
  fb::IfAttrsT attrs;
  const ValueId wide = g.add(Op::unary, unary(fb::UnaryFunction::is_nan), {row}, "wide");
  const ValueId any =
      g.add(Op::reshape, shaped({1}),
            {g.add(Op::reduce, reduce(fb::ReduceFunction::any, {0, 1}), {wide}, "any")}, "any1");
  const ir::NodeId choice = g.add_node(Op::if_else, attrs, {any, next}, "choice", 2, {},
                                       bodies_of({branch("bends", true), branch("scales", false)}));
  g.outputs = {g.inputs[1], g.node(choice).outputs[0], old, row};
  return g;
}

/// Of a scan, with a slice of 2 and a carried sum.
Graph slice_turn() {
  Graph g;
  g.name = "slice";
  const ValueId sum = g.add_input("sum", DType::float32, {2}),
                slice = g.add_input("slice", DType::float32, {2});
  const ValueId next = g.add(Op::binary, binary(fb::BinaryFunction::add), {sum, slice}, "next");
  g.outputs = {next, sum};
  return g;
}

/// Branches, loops, a scan, graphs in graphs, and a variable.
Graph nested() {
  Graph g;
  g.name = "nested";
  const ValueId x = g.add_input("x", DType::float32, {2, 3});
  const ValueId choice = g.add_input("choice", DType::boolean, {});
  const ValueId memory = g.add_input("memory", DType::float32, {2, 3});
  const ValueId start = g.add(Op::binary, binary(fb::BinaryFunction::add), {x, memory}, "start");
  const ir::NodeId chosen =
      g.add_node(Op::if_else, fb::IfAttrsT(), {choice, start}, "chosen", 2, {},
                 bodies_of({branch("bends", true), branch("scales", false)}));
  const std::int64_t four = 4;
  const std::uint8_t yes = 1;
  const ValueId turns = g.add_constant<std::int64_t>("turns", {}, std::span(&four, 1));
  const ValueId goes_on = g.add_constant("goes on", DType::boolean, {},
                                         ir::bytes_of(std::span<const std::uint8_t>(&yes, 1)));
  fb::LoopAttrsT loop;
  loop.max_trip_count = 4;
  loop.captures = 1;
  const ir::NodeId looped =
      g.add_node(Op::loop, loop, {turns, goes_on, g.node(chosen).outputs[0], x, start}, "looped", 3,
                 {}, bodies_of({turn()}));
  fb::LoopAttrsT scan;
  scan.max_trip_count = 3;
  scan.scan_inputs = 1;
  scan.scan_input_axes = {1};
  scan.scan_output_axes = {1};
  scan.scan_input_reverse = {1};
  scan.scan_output_reverse = {0};
  const float zeros[2] = {};
  const ValueId none = g.add_constant<float>("none", {2}, zeros);
  const ir::NodeId scanned = g.add_node(Op::scan, scan, {none, g.node(looped).outputs[0]},
                                        "scanned", 2, {}, bodies_of({slice_turn()}));
  const auto& results = g.node(looped).outputs;
  g.outputs = {g.node(scanned).outputs[0], g.node(scanned).outputs[1], results[1], results[2],
               g.node(chosen).outputs[1]};
  g.outputs.push_back(
      g.add(Op::binary, binary(fb::BinaryFunction::mul), {start, results[0]}, "kept"));
  const float first[6] = {0, 1, 0, 1, 0, 1};
  g.variables = {{"memory", ir::bytes_of(std::span<const float>(first))}};
  return g;
}

void describe_picture(convert::Manifest& manifest) {
  fb::PreprocessT image;
  image.height_axis = 1;
  image.width_axis = 2;
  image.channel_axis = 3;
  image.mean = {0.5f, 0.5f, 0.5f};
  image.std = {0.25f, 0.25f, 0.25f};
  manifest.preprocess = {image};
  manifest.postprocess.emplace();
  manifest.postprocess->kind = fb::PostprocessKind::classify;
  manifest.labels = {"ant", "bee", "cat", "dog", "eel"};
}

constexpr ModelSample kSamples[] = {
    {"picture", picture}, {"numbers", numbers}, {"shapes", shapes}, {"sequence", sequence},
    {"sizes", sizes},     {"counts", counts},   {"nested", nested}};

}  // namespace

std::span<const ModelSample> model_samples() noexcept { return kSamples; }

std::vector<std::byte> file_of(const ModelSample& sample) {
  const Graph graph = sample.graph();
  convert::Manifest manifest;
  manifest.name = sample.name;
  manifest.golden = {convert::make_golden(graph, "auto")};
  if (manifest.name == "picture") describe_picture(manifest);
  if (manifest.name == "sizes") manifest.states = {{graph.outputs[1], graph.inputs[1]}};
  return convert::write_model(graph, manifest);
}

}  // namespace skiff::test
