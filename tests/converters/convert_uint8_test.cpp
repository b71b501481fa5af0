#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#include "converters/compute.h"
#include "converters/convert.h"
#include "tests/converters/onnx_builder.h"
#include "tests/converters/pass_support.h"
#include "tests/support/command.h"
#include "tests/support/shared_data.h"

// --uint8-input: pictures go in as they are, what was done to them becomes part of the network.
namespace skiff::convert {
namespace {

using fb::OpKind;
using test::OnnxBuilder;
using test::ScratchFolder;

const std::vector<float> kMean = {0.485f, 0.456f, 0.406f}, kStd = {0.229f, 0.224f, 0.225f};

/// A channels-first convolution 3x3 of stride 2, padded or not, and a sum over the pixels.
struct Net {
  std::vector<std::int64_t> shape = {1, 3, 20, 24};
  bool padded = true;
  int type = 1;  ///< of the input, as ONNX numbers them

  std::string file(const ScratchFolder& scratch) const {
    std::vector<float> weights(8 * 3 * 9);
    std::mt19937 random(3);
    for (float& w : weights) w = static_cast<float>(random() % 2001) / 1000 - 1;
    OnnxBuilder net;
    net.input("image", shape, type);
    std::string x = "image";
    if (type != 1) net.node("Cast", {x}, {"floats"}).attr("to", std::int64_t{1}), x = "floats";
    net.floats("w", {8, 3, 3, 3}, weights).node("Conv", {x, "w"}, {"c"});
    net.attr("strides", {2, 2}).attr("kernel_shape", {3, 3});
    if (padded) net.attr("pads", {1, 1, 1, 1});
    net.node("Relu", {"c"}, {"r"}).node("GlobalAveragePool", {"r"}, {"y"}).output("y");
    const std::string path = scratch / "net.onnx";
    test::write_bytes(path, net.bytes());
    return path;
  }
};

ConvertOptions wanted() {
  ConvertOptions options;
  options.mean = kMean;
  options.std = kStd;
  options.uint8_input = true;
  options.check = true;
  return options;
}

npy::Array pixels(const Shape& shape) {
  std::mt19937 random(8);
  npy::Array array{DType::uint8, shape, {}};
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    array.bytes.push_back(static_cast<std::byte>(random()));
  return array;
}

/// What preprocessing makes of pixels [N, H, W, C] for an input of that layout.
npy::Array normalised(const npy::Array& image, bool channels_first) {
  const std::int64_t h = image.shape[1], w = image.shape[2], c = image.shape[3];
  std::vector<float> numbers(image.bytes.size());
  for (std::int64_t i = 0; i < image.shape.elements(); ++i) {
    const std::int64_t channel = i % c, pixel = i / c % (h * w), n = i / (c * h * w);
    const auto k = static_cast<std::size_t>(channel);
    const std::int64_t to = channels_first ? (n * c + channel) * h * w + pixel : i;
    numbers[static_cast<std::size_t>(to)] =
        (static_cast<float>(image.bytes[static_cast<std::size_t>(i)]) / 255 - kMean[k]) / kStd[k];
  }
  const Shape shape = channels_first ? Shape{image.shape[0], c, h, w} : image.shape;
  return {DType::float32, shape, ir::bytes_of(std::span<const float>(numbers))};
}

/// All outputs' numbers.
std::vector<double> results(const ir::Graph& graph, const npy::Archive& inputs) {
  const ir::Graph computed = compute(graph, inputs);
  std::vector<double> all;
  for (const ir::ValueId id : computed.visible_outputs()) {
    const std::vector<double> numbers = ir::numbers(computed.value(id));
    all.insert(all.end(), numbers.begin(), numbers.end());
  }
  return all;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected,
                 double relative) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  for (const double x : expected) largest = std::max(largest, std::abs(x));
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], relative * largest) << i;
}

std::string operators_of(const ir::Graph& graph) { return test::operators(graph); }

TEST(Uint8Input, TakesPixelsChannelsLast) {
  const ScratchFolder scratch;
  const std::string path = Net().file(scratch);
  const Converted converted = convert_graph(path, wanted(), nullptr);
  const ir::Value& input = converted.graph.value(converted.graph.inputs[0]);
  EXPECT_EQ(converted.graph.inputs.size(), 1u);
  EXPECT_EQ(input.name, "image");
  EXPECT_EQ(input.dtype, DType::uint8);
  EXPECT_EQ(input.shape, (Shape{1, 20, 24, 3}));
  // No transpose is left: the output has one pixel.
  EXPECT_EQ(operators_of(converted.graph), "cast binary binary conv reduce reshape");
  ASSERT_EQ(converted.manifest.preprocess.size(), 1u);
  const fb::PreprocessT& left = converted.manifest.preprocess[0];
  EXPECT_TRUE(left.mean.empty() && left.std.empty());
  EXPECT_EQ(left.pixel_scale, 255);
  EXPECT_EQ(std::vector({left.height_axis, left.width_axis, left.channel_axis}),
            (std::vector{1, 2, 3}));
}

TEST(Uint8Input, ComputesWhatPreprocessingDid) {
  const ScratchFolder scratch;
  for (const bool padded : {true, false}) {
    const std::string path = Net{.padded = padded}.file(scratch);
    ConvertOptions plain = wanted();
    plain.uint8_input = false;
    const npy::Array image = pixels({1, 20, 24, 3});
    const ir::Graph graph = convert_graph(path, wanted(), nullptr).graph;
    expect_near(
        results(graph, {{"image", image}}),
        results(convert_graph(path, plain, nullptr).graph, {{"image", normalised(image, true)}}),
        1e-5);
    // Without padding all of it goes into weights and bias.
    EXPECT_EQ(testing::count(graph, OpKind::binary), padded ? 2u : 0u);
  }
}

TEST(Uint8Input, AnswersToAPictureAreTheSame) {
  const ScratchFolder scratch;
  const std::string path = Net().file(scratch);
  std::vector<std::uint8_t> photo(31 * 17 * 3);
  std::mt19937 random(2);
  for (std::uint8_t& x : photo) x = static_cast<std::uint8_t>(random());
  std::vector<float> answers[2];
  for (const bool uint8 : {false, true}) {
    ConvertOptions options = wanted();
    options.uint8_input = uint8;
    options.color = fb::ColorOrder::bgr;
    const std::vector<std::byte> bytes = convert_file(path, options);
    Session session(Model::from_bytes(bytes), {.device = DeviceKind::cpu});
    set_image(session, {photo.data(), 31, 17, 3});
    ASSERT_TRUE(session.run().ok());
    const auto values = session.output(0).values<const float>();
    answers[uint8 ? 1 : 0].assign(values.begin(), values.end());
  }
  // Pixels between those of the photo are rounded now.
  for (std::size_t i = 0; i < answers[0].size(); ++i)
    EXPECT_NEAR(answers[1][i], answers[0][i], 0.02f * (1 + std::abs(answers[0][i]))) << i;
}

void expect_refused(const std::string& path, const ConvertOptions& options, ErrorCode code,
                    const std::string& piece) {
  try {
    convert_graph(path, options, nullptr);
    ADD_FAILURE() << "taken; should say " << piece;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(piece), std::string::npos) << error.what();
  }
}

TEST(Uint8Input, RefusesWhatIsNoPicture) {
  const ScratchFolder scratch;
  const auto wrong = ErrorCode::invalid_argument, unsupported = ErrorCode::unsupported;
  const std::string path = Net().file(scratch);
  ConvertOptions silent;
  silent.uint8_input = true;
  expect_refused(path, silent, wrong, "--mean and --std");
  ConvertOptions gray = wanted();
  gray.color = fb::ColorOrder::gray;
  expect_refused(path, gray, wrong, "the colours gray are 1 channel");
  ConvertOptions two = wanted();
  two.mean = {0.5f, 0.5f};
  expect_refused(path, two, wrong, "mean has 2 entries, the input has 3 channels");
  ConvertOptions zero = wanted();
  zero.std = {1, 0, 1};
  expect_refused(path, zero, wrong, "std holds 0");
  std::ofstream(scratch / "axes.json") << R"({"preprocess": {"height_axis": 2, "width_axis": 2}})";
  ConvertOptions axes;
  axes.uint8_input = true;
  axes.task = scratch / "axes.json";
  expect_refused(path, axes, wrong, "need an axis each");
  expect_refused(Net{.type = 2}.file(scratch), wanted(), unsupported, "holds uint8 already");
  expect_refused(Net{.type = 10}.file(scratch), wanted(), unsupported, "holds float16");

  OnnxBuilder flat;
  flat.input("x", {2, 6, 3}).node("Relu", {"x"}, {"y"}).output("y");
  test::write_bytes(scratch / "flat.onnx", flat.bytes());
  std::ofstream(scratch / "flat.json")
      << R"({"preprocess": {"height_axis": 0, "width_axis": 1, "channel_axis": 2}})";
  axes.task = scratch / "flat.json";
  expect_refused(scratch / "flat.onnx", axes, unsupported, "pictures have four axes");
}

TEST(Uint8Input, GoldenDataArePixels) {
  const ScratchFolder scratch;
  const std::string path = Net().file(scratch);
  ConvertOptions options = wanted();
  options.golden = "auto";
  const Converted automatic = convert_graph(path, options, nullptr);
  const std::vector<std::byte>& made = automatic.manifest.golden.at(0).inputs.at(0).bytes;
  EXPECT_EQ(made.size(), 20u * 24 * 3);
  EXPECT_GT(std::ranges::max(made), std::byte{250});
  EXPECT_LT(std::ranges::min(made), std::byte{5});

  const npy::Array image = pixels({1, 20, 24, 3});
  const std::vector<double> y = results(automatic.graph, {{"image", image}});
  const std::vector<float> floats(y.begin(), y.end());
  const npy::Array out{DType::float32, {1, 8, 1, 1}, ir::bytes_of(std::span<const float>(floats))};
  npy::save_npz(scratch / "pixels.npz", {{"in/image", image}, {"out/y", out}});
  options.golden = scratch / "pixels.npz";
  EXPECT_EQ(convert_graph(path, options, nullptr).manifest.golden.at(0).inputs.at(0).bytes,
            image.bytes);
  npy::save_npz(scratch / "floats.npz", {{"in/image", normalised(image, true)}, {"out/y", out}});
  options.golden = scratch / "floats.npz";
  expect_refused(path, options, ErrorCode::invalid_argument,
                 "in/image is float32 [1, 3, 20, 24], the input uint8 [1, 20, 24, 3] of pixels");
}

TEST(Uint8Input, OpenSizes) {
  const ScratchFolder scratch;
  ConvertOptions options = wanted();
  options.dynamic = {{"image:2", 8, 16, 32}, {"image:3", 8, 16, 40}};
  options.golden = "auto";
  const std::vector<std::byte> bytes = convert_file(Net().file(scratch), options);
  const Model model = Model::from_bytes(bytes);
  Session session(model, {.device = DeviceKind::cpu});
  EXPECT_EQ(session.input(0).shape(), (Shape{1, 16, 16, 3}));
  EXPECT_TRUE(session.resize("image", {1, 9, 40, 3}).ok());
  EXPECT_TRUE(session.run().ok());
  EXPECT_FALSE(session.resize("image", {1, 9, 41, 3}).ok());
}

/// The other precisions begin with the same pixels.
TEST(Uint8Input, WithLessPrecision) {
  const ScratchFolder scratch;
  const std::string path = Net().file(scratch);
  const npy::Array image = pixels({1, 20, 24, 3});
  const std::vector<double> exact =
      results(convert_graph(path, wanted(), nullptr).graph, {{"image", image}});
  ConvertOptions half = wanted();
  half.precision = DType::float16;
  const ir::Graph narrow = convert_graph(path, half, nullptr).graph;
  EXPECT_EQ(narrow.value(narrow.inputs[0]).dtype, DType::uint8);
  expect_near(results(narrow, {{"image", image}}), exact, 5e-3);

  npy::save_npz(scratch / "sample.npz", {{"in/image", image}});
  ConvertOptions integers = wanted();
  integers.calibrate = scratch / "sample.npz";
  const ir::Graph quantised = convert_graph(path, integers, nullptr).graph;
  EXPECT_EQ(testing::count(quantised, OpKind::integer_conv), 1u);
  expect_near(results(quantised, {{"image", image}}), exact, 0.03);
}

/// A trained network, channels last already.
TEST(Uint8Input, OfATrainedNetwork) {
  const auto folder = test::shared_data() / "models" / "tflite";
  const std::string path = (folder / "face_detection_short_range.tflite").string();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared data (set SKIFF_DATA)";
  ConvertOptions options = wanted();
  const ir::Graph graph = convert_graph(path, options, nullptr).graph;
  options.uint8_input = false;
  const npy::Array image = pixels({1, 128, 128, 3});
  expect_near(
      results(graph, {{"input", image}}),
      results(convert_graph(path, options, nullptr).graph, {{"input", normalised(image, false)}}),
      1e-4);
}

}  // namespace
}  // namespace skiff::convert
