#include <cmath>
#include <cstdlib>

#include "converters/convert.h"
#include "converters/dynamic/dynamic.h"
#include "converters/precision/precision.h"
#include "gpu.h"
#include "tests/support/pixel_graphs.h"
#include "tests/support/shared_data.h"

// On a GPU a convolution takes in what becomes of pixels before it, in one kernel of ours.
namespace skiff::test {
namespace {

constexpr SessionOptions kJoined{.device = DeviceKind::cuda, .strict_gpu = true};
constexpr SessionOptions kOneByOne{
    .device = DeviceKind::cuda, .strict_gpu = true, .fuse = Fuse::off};

void expect_near(const std::vector<float>& found, const std::vector<float>& expected, float bound) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], bound * (1 + std::abs(expected[i]))) << i;
}

/// `layers`: of each step that is several nodes.
void expect_joined(const Graph& graph, const std::vector<int>& layers, float bound = 1e-5f) {
  const WithGpu gpu;
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session slow(model, kOneByOne), fast(model, kJoined);
  EXPECT_EQ(chains(slow), std::vector<int>());
  EXPECT_EQ(chains(fast), layers);
  EXPECT_EQ(Session::predict(model, kJoined).total, fast.memory().total);
  const std::vector<float> expected = outputs_of_pixels(slow), first = outputs_of_pixels(fast);
  ASSERT_NO_FATAL_FAILURE(expect_near(first, expected, bound));
  for (const char* order : {"1", "2", "0"}) {  // of a block's threads
    setenv("SKIFF_THREAD_ORDER", order, 1);
    ASSERT_NO_FATAL_FAILURE(
        expect_equal_bits(outputs_of_pixels(fast), first, std::string("order ") + order));
  }
}

TEST(PixelsOnGpu, OfAnyNumberOfChannels) {
  for (std::int64_t c = 1; c <= 4; ++c) {
    SCOPED_TRACE(c);
    Graph g;
    g.outputs = {conv(g, normalised(g, {2, 23, 37, c}), 9, 3, halving())};
    expect_joined(g, {4});
  }
}

TEST(PixelsOnGpu, ChainsGoOnBehindIt) {
  Graph g;
  ValueId x = as_floats(g, picture(g, {1, 19, 21, 3}));
  x = binary(g, Binary::sub, x, constant(g, {3}, 1));
  x = conv(g, binary(g, Binary::div, x, factors(g, {}, 2)), 16, 3, halving());
  x = unary(g, Unary::tanh, x);
  g.outputs = {binary(g, Binary::mul, x, constant(g, {16}, 3))};
  expect_joined(g, {4, 2}, 1e-4f);
}

TEST(PixelsOnGpu, NotWhereOthersReadThem) {
  Graph g;
  const ValueId x = as_floats(g, picture(g, {1, 19, 21, 3}));
  g.outputs = {conv(g, x, 8, 3, halving()), conv(g, x, 8, 3, halving(), 9)};
  expect_joined(g, {}, 1e-4f);
}

Graph open_sizes(std::int64_t batch, std::int64_t height, std::int64_t width) {
  Graph g;
  g.outputs = {conv(g, normalised(g, {batch, height, width, 3}), 16, 3, halving())};
  return g;
}

/// One by one, what lies between the parts is rounded too.
TEST(PixelsOnGpu, OtherTypes) {
  for (DType dtype : {DType::float16, DType::bfloat16}) {
    SCOPED_TRACE(static_cast<int>(dtype));
    Graph g = open_sizes(2, 29, 33);
    ASSERT_EQ(precision::store_as(g, dtype, {}).kept.size(), 0u);
    expect_joined(g, {4}, dtype == DType::float16 ? 1e-2f : 8e-2f);
  }
}

TEST(PixelsOnGpu, OpenSizes) {
  const WithGpu gpu;
  const Graph graph = dynamic::generalise(
      {{"picture", {{-1, "n"}, {-1, "h"}, {-1, "w"}, {3, {}}}}}, {},
      {{"n", 1, 1, 3, 1}, {"h", 4, 8, 40, 1}, {"w", 4, 8, 40, 1}},
      [](const dynamic::Sizes& sizes) {
        const Shape& x = sizes.shapes.at("picture");
        return open_sizes(x[0], x[1], x[2]);
      },
      [](const Graph&) {});
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session cpu(model, {.device = DeviceKind::cpu}), session(model, kJoined);
  EXPECT_EQ(chains(session), std::vector{4});
  for (std::int64_t n : {1, 3})
    for (std::int64_t h : {4, 7, 40})
      for (std::int64_t w : {5, 33, 40}) {
        SCOPED_TRACE(n * 10000 + h * 100 + w);
        const InputShape shapes[] = {{"picture", {n, h, w, 3}}};
        session.prepare(shapes);
        ASSERT_TRUE(session.resize(shapes).ok());
        ASSERT_TRUE(cpu.resize(shapes).ok());
        ASSERT_NO_FATAL_FAILURE(
            expect_near(outputs_of_pixels(session), outputs_of_pixels(cpu), 1e-5f));
      }
}

/// What golden data hold of a trained network is what the doubles compute.
TEST(PixelsOnGpu, ATrainedNetwork) {
  const auto folder = shared_data() / "models" / "tflite";
  const std::string path = (folder / "face_detection_short_range.tflite").string();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared data (set SKIFF_DATA)";
  for (const DType precision : {DType::none, DType::float16}) {
    const WithGpu gpu;
    convert::ConvertOptions options;
    options.uint8_input = true;
    options.precision = precision;
    options.mean = options.std = {0.5f, 0.5f, 0.5f};
    options.golden = "auto";
    const convert::Converted converted = convert::convert_graph(path, options, nullptr);
    const std::vector<std::byte> bytes = convert::write_model(converted.graph, converted.manifest);
    const Model model = Model::from_bytes(bytes);
    Session session(model, kJoined);
    const convert::Golden& golden = converted.manifest.golden.at(0);
    ASSERT_EQ(session.input(0).bytes().size(), golden.inputs[0].bytes.size());
    std::ranges::copy(golden.inputs[0].bytes, session.input(0).bytes().begin());
    ASSERT_TRUE(session.run().ok());
    for (std::size_t i = 0; i < session.output_count(); ++i) {
      const auto found = session.output(i).values<const float>();
      const auto* expected = reinterpret_cast<const float*>(golden.outputs[i].bytes.data());
      double error = 0, all = 0;
      for (std::size_t k = 0; k < found.size(); ++k) {
        const double difference = static_cast<double>(found[k] - expected[k]);
        error += difference * difference;
        all += static_cast<double>(expected[k]) * static_cast<double>(expected[k]);
      }
      EXPECT_LT(std::sqrt(error / all), precision == DType::none ? 5e-4 : 5e-3);
    }
  }
}

}  // namespace
}  // namespace skiff::test
