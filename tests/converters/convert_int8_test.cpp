#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "converters/distance.h"
#include "converters/golden.h"
#include "converters/passes/check.h"
#include "converters/quantize/calibrate.h"
#include "converters/quantize/measure.h"
#include "converters/quantize/quantize.h"
#include "converters/quantize/scale.h"
#include "tests/converters/pass_support.h"
#include "tests/support/command.h"

// --int8 on small graphs: where pairs stand, what stays in floats, and which samples are refused.
namespace skiff::testing {
namespace {

using fb::OpKind;
using quantize::Outcome;
using test::ScratchFolder;

const quantize::Progress kSilent = [](const char*, double) {};

npy::Array array(const Shape& shape, const std::vector<float>& numbers) {
  return {DType::float32, shape, ir::bytes_of(std::span<const float>(numbers))};
}

ValueId product(Graph& graph, ValueId x, ValueId w, const char* name,
                fb::UnaryFunction activation = fb::UnaryFunction::none) {
  fb::MatMulAttrsT attrs;
  attrs.activation = activation;
  return graph.add(OpKind::matmul, attrs, {x, w}, name);
}

/// Calibrates with random inputs, a few of them.
Outcome calibrate(Graph& graph) {
  const ScratchFolder scratch;
  for (int i = 0; i < 3; ++i) {
    npy::Archive inputs = convert::random_inputs(graph);
    for (auto& [name, sample] : inputs)
      if (i > 0)
        std::rotate(sample.bytes.begin(), sample.bytes.begin() + 4 * i, sample.bytes.end());
    npy::save_npz(scratch / (std::to_string(i) + ".npz"), inputs);
  }
  const Outcome outcome =
      quantize::calibrate(graph, quantize::Samples(scratch / "", graph), kSilent);
  passes::check_graph(graph);
  EXPECT_EQ(outcome.samples, 3u);
  return outcome;
}

/// Scale and zero of the pair that the node's data come through.
quantize::Scale scale_before(const Graph& graph, const std::string& name) {
  for (const ir::NodeId id : graph.order()) {
    if (graph.node(id).name != name) continue;
    const ir::Node& back = graph.node(graph.value(graph.node(id).inputs[0]).producer);
    const ir::Node& to = graph.node(graph.value(back.inputs[0]).producer);
    EXPECT_EQ(back.op, OpKind::dequantize);
    EXPECT_EQ(to.op, OpKind::quantize);
    EXPECT_EQ(graph.value(to.outputs[0]).dtype, DType::uint8);
    EXPECT_EQ(ir::numbers(graph.value(to.inputs[1])), ir::numbers(graph.value(back.inputs[1])));
    return {static_cast<float>(ir::numbers(graph.value(to.inputs[1]))[0]),
            static_cast<std::uint8_t>(ir::numbers(graph.value(to.inputs[2]))[0])};
  }
  ADD_FAILURE() << "no node " << name;
  return {};
}

/// x in [-1, 1.55] is 256 steps of 0.01; relu(x w) in [0, 5.1] is 256 of 0.02.
TEST(Int8, TwoLayersByHand) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 2});
  const ValueId hidden =
      product(graph, x, constant(graph, {2, 2}, {1, 2, 2, 1}), "first", fb::UnaryFunction::relu);
  graph.outputs = {product(graph, hidden, constant(graph, {2, 1}, {1, -1}), "second")};
  const ScratchFolder scratch;
  npy::save_npz(scratch / "a.npz", {{"x", array({1, 2}, {-1, 1.55f})}});
  npy::save_npz(scratch / "b.npz", {{"in/x", array({1, 2}, {1.55f, 1.775f})}});
  const quantize::Samples one(scratch / "a.npz", graph);
  Graph calibrated = graph;
  const Outcome outcome = quantize::calibrate(calibrated, one, kSilent);
  passes::check_graph(calibrated);
  EXPECT_EQ(outcome.samples, 1u);
  EXPECT_EQ(outcome.products, 2u);
  EXPECT_TRUE(outcome.kept.empty());
  // One position says nothing of the mean of others: no bias comes in.
  for (const ir::NodeId id : calibrated.order()) {
    if (calibrated.node(id).op == OpKind::matmul) {
      EXPECT_EQ(calibrated.node(id).inputs.size(), 2u);
    }
  }
  const quantize::Scale first = scale_before(calibrated, "first");
  EXPECT_FLOAT_EQ(first.scale, 2.55f / 255);
  EXPECT_EQ(first.zero, 100);
  // Of the sums 2.1 and -0.45 the relu keeps one.
  const quantize::Scale second = scale_before(calibrated, "second");
  EXPECT_FLOAT_EQ(second.scale, 2.1f / 255);
  EXPECT_EQ(second.zero, 0);
  // Of both samples the highest sum is 1.55 + 2 * 1.775.
  const Outcome both = quantize::calibrate(graph, quantize::Samples(scratch / "", graph), kSilent);
  EXPECT_EQ(both.samples, 2u);
  EXPECT_NEAR(scale_before(graph, "first").scale, 2.775f / 255, 0.02f * 2.775f / 255);
  EXPECT_NEAR(scale_before(graph, "second").scale, 5.1f / 255, 0.02f * 5.1f / 255);
}

TEST(Int8, ReadersOfOneValueShareAPair) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {2, 3});
  const ValueId w = random_constant(graph, {3, 3}), other = random_constant(graph, {3, 3});
  const ValueId hidden = product(graph, x, w, "a");
  const ValueId b = product(graph, hidden, other, "b"), c = product(graph, hidden, w, "c");
  const ValueId sum = binary(graph, fb::BinaryFunction::add, b, hidden);
  graph.outputs = {binary(graph, fb::BinaryFunction::mul, sum, c)};
  const Outcome outcome = calibrate(graph);
  EXPECT_EQ(outcome.products, 3u);
  EXPECT_EQ(count(graph, OpKind::quantize), 2u);
  EXPECT_EQ(count(graph, OpKind::dequantize), 2u);
  // The sum reads floats.
  EXPECT_EQ(graph.node(graph.value(sum).producer).inputs[1], hidden);
}

TEST(Int8, InputsAndOutputsStayFloats) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 4, 6, 5});
  graph.outputs = {nchw_conv(graph, nchw_conv(graph, x, 7), 3)};
  optimise(graph);
  const Outcome outcome = calibrate(graph);
  EXPECT_EQ(outcome.products, 2u);
  EXPECT_EQ(graph.value(graph.inputs[0]).dtype, DType::float32);
  EXPECT_EQ(graph.value(graph.outputs[0]).dtype, DType::float32);
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x");
}

TEST(Int8, WhatStaysInFloatsIsSaid) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 6, 5, 4});
  const ValueId computed = unary(graph, fb::UnaryFunction::exp, x);
  const ValueId larger = graph.add(OpKind::conv_transpose, fb::ConvAttrsT{},
                                   {computed, random_constant(graph, {3, 1, 1, 4})}, "larger");
  const ValueId square = product(graph, x, reshape(graph, computed, {1, 6, 4, 5}), "square");
  const ValueId batched = product(graph, x, random_constant(graph, {6, 4, 2}), "batched");
  const ValueId nothing = binary(graph, fb::BinaryFunction::sub, x, x);
  const ValueId zeros = product(graph, nothing, random_constant(graph, {4, 2}), "zeros");
  const ValueId endless = product(graph, x, constant(graph, {4, 1}, {1, NAN, 1, 1}), "endless");
  const ValueId far = binary(graph, fb::BinaryFunction::div, x, nothing);
  const ValueId beyond = product(graph, far, random_constant(graph, {4, 2}), "beyond");
  graph.outputs = {larger,
                   square,
                   batched,
                   zeros,
                   endless,
                   beyond,
                   product(graph, computed, random_constant(graph, {4, 2}), "taken")};
  const Outcome outcome = calibrate(graph);
  EXPECT_EQ(outcome.products, 7u);
  EXPECT_EQ(count(graph, OpKind::quantize), 1u);
  const std::pair<const char*, const char*> reasons[] = {
      {"larger", "transposed"},  {"square", "computed"}, {"batched", "no matrix"},
      {"zeros", "zeros in all"}, {"endless", "NaN"},     {"beyond", "infinity"}};
  ASSERT_EQ(outcome.kept.size(), std::size(reasons));
  for (const auto& [node, reason] : reasons) {
    const auto found = std::ranges::find(outcome.kept, node, &precision::Kept::node);
    ASSERT_NE(found, outcome.kept.end()) << node;
    EXPECT_NE(found->reason.find(reason), std::string::npos) << found->reason;
  }
}

TEST(Int8, QuantisedDataAreLeftAsTheyAre) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {2, 3});
  graph.outputs = {product(graph, x, random_constant(graph, {3, 3}), "a")};
  calibrate(graph);
  const std::size_t before = graph.order().size();
  const Outcome again = calibrate(graph);
  EXPECT_EQ(again.products, 1u);
  EXPECT_TRUE(again.kept.empty());
  EXPECT_EQ(graph.order().size(), before);
}

double mean_of_channel(const ir::Value& value, std::size_t channel) {
  const auto numbers = ir::numbers(value);
  const auto channels = static_cast<std::size_t>(value.shape.back());
  double sum = 0;
  for (std::size_t i = channel; i < numbers.size(); i += channels) sum += numbers[i];
  return sum * static_cast<double>(channels) / static_cast<double>(numbers.size());
}

/// Every position of the data counts alike in these products, so their means are right again.
TEST(Int8, MeansOfChannelsAreKept) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 12, 10, 4});
  fb::ConvAttrsT grouped;
  grouped.groups = 2;
  fb::MatMulAttrsT transposed;
  transposed.transpose_b = true;
  transposed.scale = 0.5f;
  graph.outputs = {
      graph.add(OpKind::conv, grouped,
                {x, random_constant(graph, {6, 1, 1, 2}), random_constant(graph, {6})}, "conv"),
      product(graph, x, random_constant(graph, {4, 3}), "product"),
      graph.add(OpKind::matmul, transposed, {x, random_constant(graph, {5, 4})}, "transposed")};
  const ScratchFolder scratch;
  const npy::Archive inputs = convert::random_inputs(graph);
  npy::save_npz(scratch / "a.npz", inputs);
  const Graph expected = convert::compute(graph, inputs);
  quantize::calibrate(graph, quantize::Samples(scratch / "a.npz", graph), kSilent);
  passes::check_graph(graph);
  const Graph given = convert::compute(graph, inputs);
  for (const ValueId id : graph.outputs) {
    EXPECT_NE(ir::numbers(given.value(id)), ir::numbers(expected.value(id)));
    for (std::size_t c = 0; c < static_cast<std::size_t>(graph.value(id).shape.back()); ++c)
      EXPECT_NEAR(mean_of_channel(given.value(id), c), mean_of_channel(expected.value(id), c), 2e-6)
          << graph.value(id).name << " " << c;
  }
}

/// The whole way with all passes: what it computes is near, and how near is said.
TEST(Int8, AccuracyIsMeasured) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 4, 12, 10});
  const ValueId hidden = unary(graph, fb::UnaryFunction::relu, nchw_conv(graph, x, 16));
  const ValueId more = unary(graph, fb::UnaryFunction::relu, nchw_conv(graph, hidden, 16));
  graph.outputs = {nchw_conv(graph, more, 3), reduce(graph, fb::ReduceFunction::sum, x, {1})};
  const Graph floats = graph;
  const npy::Archive inputs = convert::random_inputs(graph);
  const ScratchFolder scratch;
  npy::save_npz(scratch / "a.npz", inputs);
  Outcome outcome;
  npy::Archive own;
  double last = 0;
  const auto passes = quantize::run_pipeline(
      graph, quantize::Samples(scratch / "a.npz", graph), {.check = true},
      [&](const char*, double done) {
        EXPECT_GE(done, last);
        last = done;
      },
      [&](const Graph& before) { own = convert::own_case(before); }, outcome);
  EXPECT_NE(std::ranges::find(passes, "calibrate"), passes.end());
  EXPECT_EQ(outcome.products, 3u);
  EXPECT_EQ(outcome.integer + outcome.kept.size(), 3u);
  ASSERT_EQ(outcome.accuracy.size(), 2u);
  EXPECT_GT(outcome.accuracy[0].relative_l2, 1e-5);
  EXPECT_LT(outcome.accuracy[0].relative_l2, 0.02);
  EXPECT_GT(outcome.accuracy[0].cosine, 0.9998);
  EXPECT_LT(outcome.accuracy[0].cosine, 1);
  EXPECT_LT(outcome.accuracy[1].relative_l2, 1e-6);  // nothing of it is quantised
  const Graph expected = convert::compute(floats, inputs), given = convert::compute(graph, inputs);
  const auto a = ir::numbers(given.value(given.outputs[0])),
             b = ir::numbers(expected.value(expected.outputs[0]));
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    error += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  EXPECT_NEAR(outcome.accuracy[0].relative_l2, std::sqrt(error / norm), 1e-4);

  // --golden auto holds what the floats compute, and knows how far the integers are from that.
  const convert::Golden golden = convert::make_golden(graph, "auto", {}, own);
  ASSERT_EQ(golden.outputs.size(), 2u);
  EXPECT_EQ(golden.origin, fb::GoldenOrigin::self);
  ir::Value stored = expected.value(expected.outputs[0]);
  stored.constant = golden.outputs[0].bytes;
  for (std::size_t i = 0; i < b.size(); ++i) EXPECT_NEAR(ir::numbers(stored)[i], b[i], 1e-4) << i;
  EXPECT_NEAR(golden.off_l2, std::sqrt(error / norm), 1e-4);
}

class Int8Samples : public ::testing::Test {
 protected:
  Int8Samples() {
    graph_.add_input("a", DType::float32, {2, 2});
    graph_.add_input("b", DType::int64, {3});
  }

  std::string save(const std::string& name, const npy::Archive& arrays) {
    npy::save_npz(scratch_ / name, arrays);
    return scratch_ / name;
  }
  static npy::Array whole(const Shape& shape) {
    return {DType::int64, shape,
            std::vector<std::byte>(static_cast<std::size_t>(8 * shape.elements()))};
  }
  std::size_t read(const std::string& source) {
    return quantize::Samples(source, graph_).for_each([&](const npy::Archive& inputs, double done) {
      EXPECT_GE(done, 0);
      EXPECT_LT(done, 1);
      EXPECT_EQ(inputs.at("a").shape, (Shape{2, 2}));
      EXPECT_EQ(inputs.at("b").shape, (Shape{3}));
      first_.push_back(ir::numbers({.name = "",
                                    .dtype = DType::float32,
                                    .shape = {2, 2},
                                    .constant = inputs.at("a").bytes})[0]);
    });
  }
  void expect_refused(const std::string& source, ErrorCode code,
                      const std::vector<std::string>& pieces) {
    try {
      read(source);
      ADD_FAILURE() << source << " is taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      for (const std::string& piece : pieces)
        EXPECT_NE(std::string(error.what()).find(piece), std::string::npos) << error.what();
    }
  }

  const ScratchFolder scratch_;
  Graph graph_;
  std::vector<double> first_;
};

TEST_F(Int8Samples, OneAFileInOrderOfTheirNames) {
  save("2.npz", {{"a", array({2, 2}, {2, 0, 0, 0})}, {"in/b", whole({3})}});
  save("1.npz", {{"in/a", array({2, 2}, {1, 0, 0, 0})}, {"b", whole({3})}, {"out/y", whole({1})}});
  std::ofstream(scratch_ / "readme.txt") << "not a sample";
  EXPECT_EQ(read(scratch_ / ""), 2u);
  EXPECT_EQ(first_, (std::vector<double>{1, 2}));
}

TEST_F(Int8Samples, SeveralInAFile) {
  const std::string file =
      save("all.npz",
           {{"a", array({3, 2, 2}, {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0})}, {"b", whole({3, 3})}});
  EXPECT_EQ(read(file), 3u);
  EXPECT_EQ(first_, (std::vector<double>{1, 2, 3}));
}

TEST_F(Int8Samples, WhatDoesNotFitIsRefused) {
  const npy::Array a = array({2, 2}, {1, 2, 3, 4}), b = whole({3});
  const auto wrong = ErrorCode::invalid_argument, missing = ErrorCode::not_found;
  expect_refused(scratch_ / "none", missing, {"none: no such"});
  expect_refused(scratch_ / "", missing, {"no .npz file"});
  std::ofstream(scratch_ / "a.txt") << "x";
  expect_refused(scratch_ / "a.txt", wrong, {"should be a .npz file"});
  expect_refused(save("b.npz", {{"a", a}, {"out/b", b}}), missing, {"b.npz", "in/b"});
  expect_refused(save("c.npz", {{"a", array({4}, {1, 2, 3, 4})}, {"b", b}}), wrong,
                 {"c.npz", "'a' is float32 [4]", "float32 [2, 2]", "[2, 2, 2]"});
  expect_refused(save("d.npz", {{"a", {DType::int32, {2, 2}, a.bytes}}, {"b", b}}), wrong,
                 {"'a' is int32"});
  expect_refused(save("e.npz", {{"a", array({2, 2}, {1, NAN, 3, 4})}, {"b", b}}), wrong,
                 {"'a' holds a NaN"});
  expect_refused(save("f.npz", {{"a", array({1, 2, 2}, {1, 2, 3, 4})}, {"b", b}}), wrong,
                 {"same number of samples"});
  expect_refused(save("g.npz", {{"a", array({0, 2, 2}, {})}, {"b", whole({0, 3})}}), missing,
                 {"holds no sample"});
  std::ofstream(scratch_ / "h.npz") << "damaged";
  expect_refused(scratch_ / "h.npz", ErrorCode::invalid_model, {"h.npz"});
}

/// An uncompressed 24-bit BMP of 2 x 2 pixels: the lower row comes first, each padded to 8 bytes.
std::string small_picture() {
  std::string file = "BM";
  const auto put = [&](std::uint32_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) file += static_cast<char>(number >> (8 * i) & 0xff);
  };
  for (const std::uint32_t number : {70u, 0u, 54u, 40u, 2u, 2u}) put(number, 4);
  put(1, 2);
  put(24, 2);
  for (const std::uint32_t number : {0u, 16u, 0u, 0u, 0u, 0u}) put(number, 4);
  for (const std::uint32_t row : {0u, 1u}) {
    for (const std::uint32_t column : {0u, 1u})
      for (const std::uint32_t colour : {0u, 1u, 2u}) put(100 * row + 50 * column + colour, 1);
    put(0, 2);
  }
  return file;
}

fb::PreprocessT of_rows_and_columns() {
  fb::PreprocessT preprocess;
  preprocess.height_axis = 1;
  preprocess.width_axis = 2;
  preprocess.channel_axis = 3;
  return preprocess;
}

TEST(Int8Pictures, BecomeTheInput) {
  Graph graph;
  graph.add_input("image", DType::float32, {1, 2, 2, 3});
  const ScratchFolder scratch;
  std::ofstream(scratch / "a.bmp", std::ios::binary) << small_picture();
  fb::PreprocessT preprocess = of_rows_and_columns();
  preprocess.pixel_scale = 255;
  preprocess.mean = {1, 2, 3};
  preprocess.std = {2, 2, 4};
  std::vector<float> numbers;
  quantize::Samples(scratch / "", graph, std::span(&preprocess, 1))
      .for_each([&](const npy::Archive& inputs, double) {
        const npy::Array& image = inputs.at("image");
        EXPECT_EQ(image.shape, (Shape{1, 2, 2, 3}));
        numbers.resize(12);
        std::memcpy(numbers.data(), image.bytes.data(), image.bytes.size());
      });
  ASSERT_EQ(numbers.size(), 12u);
  std::size_t at = 0;
  for (const int row : {1, 0})  // from the top; colours are stored in the order blue, green, red
    for (const int column : {0, 1})
      for (const int colour : {2, 1, 0}) {
        const float pixel = static_cast<float>(100 * row + 50 * column + colour);
        const float mean = static_cast<float>(3 - colour), deviation = colour == 0 ? 4 : 2;
        EXPECT_NEAR(numbers[at++], (pixel - mean) / deviation, 1e-4f);
      }
}

TEST(Int8Pictures, NeedADescription) {
  Graph graph;
  graph.add_input("image", DType::float32, {1, 2, 2, 3});
  const ScratchFolder scratch;
  std::ofstream(scratch / "a.bmp", std::ios::binary) << small_picture();
  std::ofstream(scratch / "b.png") << "no picture";
  try {
    quantize::Samples(scratch / "", graph);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("--mean"), std::string::npos) << error.what();
  }
  const fb::PreprocessT preprocess = of_rows_and_columns();
  const quantize::Samples samples(scratch / "b.png", graph, std::span(&preprocess, 1));
  EXPECT_THROW(samples.for_each([](const npy::Archive&, double) {}), Error);
}

}  // namespace
}  // namespace skiff::testing
