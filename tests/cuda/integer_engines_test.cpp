#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "gpu.h"
#include "runtime/core/error.h"
#include "runtime/tune/tuner.h"
#include "tests/support/command.h"
#include "tests/support/integer_graphs.h"

// What libraries have for convolutions of integers: tuning takes it where it is faster than our
// kernel. Results are the CPU's, but for halves of cuDNN's engines.
namespace skiff::test {
namespace {

class IntegerEngines : public ::testing::Test {
 protected:
  IntegerEngines() { tune::forget_tuning(); }
  ~IntegerEngines() override { tune::forget_tuning(); }

  SessionOptions tuned() {
    tune::forget_tuning();
    std::remove(path_.c_str());
    return {.device = DeviceKind::cuda,
            .strict_gpu = true,
            .tuning = Tuning::fast,
            .plan_cache = path_.c_str()};
  }

 private:
  ScratchFolder folder_;
  std::string path_ = folder_ / "plans";
};

constexpr const char *kCudnn = "cuDNN", *kCublas = "cuBLASLt, integers";

/// How many convolutions are a library's.
int engines(const Session& session, const char* library = kCudnn) {
  int count = 0;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    count += session.step(i).algorithm.starts_with(library) ? 1 : 0;
  return count;
}

void make_own_slow() {
  for (const char* kernel : {"multiply_integers", "convolve_integers"})
    cuda_double_set_cost(kernel, 9);
}

/// Everything but that library.
void make_others_slow(const char* library = kCudnn) {
  make_own_slow();
  const char* const other = library == kCudnn ? "cublaslt" : "cudnn";
  cuda_double_set_cost(other, 9);
}

/// One convolution between what converts.
Graph layer(const Bytes& x, std::int64_t cin, const Product& p) {
  Graph g;
  const ValueId stored = quantize(g, g.add_input("x", DType::float32, {2, 5, 6, cin}), x);
  const ValueId y = integer_conv(g, stored, p);
  g.outputs = {p.y.dtype == fb::DType::none ? y : dequantize(g, y, p.y)};
  return g;
}

constexpr float kStep = 1.0f / 64;
constexpr Bytes kFloats{fb::DType::none, 1};

/// Results of the library, which must be taken, and of the CPU.
void expect_taken(const Graph& graph, const SessionOptions& tuned, bool halves_differ = false,
                  const char* library = kCudnn) {
  const WithGpu gpu;
  make_others_slow(library);
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session host(model, {.device = DeviceKind::cpu}), session(model, tuned);
  EXPECT_EQ(engines(session, library), 1);
  EXPECT_EQ(Session::predict(model, tuned).total, session.memory().total);
  const std::vector<float> found = outputs_of(session), expected = outputs_of(host);
  if (!halves_differ) return expect_equal_bits(found, expected, "");
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_LE(std::abs(found[i] - expected[i]), kStep) << i;
}

TEST_F(IntegerEngines, OfAnyWindowBetweenSymmetricTensors) {
  const Bytes x{fb::DType::int8, kStep};
  for (const Bytes& y : {x, Bytes{fb::DType::uint8, kStep, 128}, kFloats})
    for (const Unary f : {Unary::none, Unary::relu, Unary::clip})
      for (const std::int64_t kernel : {1, 3})
        for (const bool bias : {false, true}) {
          SCOPED_TRACE(message(static_cast<int>(y.dtype), ' ', static_cast<int>(f), ' ', kernel));
          expect_taken(layer(x, 16, {32, kernel, y, f, bias}), tuned());
        }
}

TEST_F(IntegerEngines, OfAnyChannels) {
  const Bytes x{fb::DType::int8, kStep};
  expect_taken(layer(x, 20, {12, 3, x, Unary::none, true}), tuned());
  expect_taken(layer(x, 32, {16, 3, x, Unary::none, true, 2}), tuned());
}

/// Where no window leaves the picture, starts of the sums make up for a zero point.
TEST_F(IntegerEngines, ZeroPointsWithoutBorders) {
  for (const bool bias : {false, true})
    expect_taken(layer({fb::DType::int8, kStep, -6}, 32,
                       {16, 1, {fb::DType::int8, kStep, 4}, Unary::relu, bias}),
                 tuned());
}

/// The zero point is added before rounding: where that is odd, halves go to the other side.
TEST_F(IntegerEngines, RoundHalvesTheirOwnWay) {
  expect_taken(layer({fb::DType::int8, kStep}, 16, {16, 3, {fb::DType::int8, kStep, 5}}), tuned(),
               true);
}

TEST_F(IntegerEngines, LayersThatTheyDoNotHave) {
  const Bytes x{fb::DType::int8, kStep}, shifted{fb::DType::int8, kStep, 4};
  const auto expect_own = [&](const Bytes& of_x, std::int64_t cin, const Product& p) {
    const WithGpu gpu;
    make_others_slow();
    const std::vector<std::byte> bytes = file_of(layer(of_x, cin, p));
    const Model model = Model::from_bytes(bytes);
    EXPECT_EQ(engines(Session(model, tuned())), 0);
  };
  expect_own(shifted, 16, {16, 3, x});
  expect_own({fb::DType::uint8, kStep}, 16, {16, 3, x});
  expect_own(x, 6, {16, 3, x});
  expect_own(x, 16, {18, 3, x});
  expect_own(x, 16, {16, 3, kFloats, Unary::sigmoid});
}

TEST_F(IntegerEngines, ProductsOfAnyTensors) {
  using enum fb::DType;
  for (const Bytes& x : {Bytes{int8, kStep}, Bytes{int8, kStep, -6}, Bytes{uint8, kStep},
                         Bytes{uint8, kStep, 128}, Bytes{uint8, kStep, 131}})
    for (const Bytes& y : {Bytes{int8, kStep, 5}, Bytes{uint8, kStep, 3}, kFloats})
      for (const Unary f : {Unary::none, Unary::clip})
        for (const bool bias : {false, true}) {
          SCOPED_TRACE(message(static_cast<int>(x.dtype), ' ', x.zero, " to ",
                               static_cast<int>(y.dtype), ' ', static_cast<int>(f), ' ', bias));
          expect_taken(layer(x, 20, {12, 1, y, f, bias}), tuned(), false, kCublas);
        }
}

/// Functions of the device differ from the CPU's in the last bits, not from kernel to kernel.
TEST_F(IntegerEngines, ProductsThenAnyFunction) {
  const WithGpu gpu;
  make_others_slow(kCublas);
  const std::vector<std::byte> bytes =
      file_of(layer({fb::DType::uint8, kStep, 7}, 16, {12, 1, kFloats, Unary::sigmoid, true}));
  const Model model = Model::from_bytes(bytes);
  Session taken(model, tuned()), own(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  EXPECT_EQ(engines(taken, kCublas), 1);
  EXPECT_EQ(engines(own, kCublas), 0);
  expect_equal_bits(outputs_of(taken), outputs_of(own), "");
}

TEST_F(IntegerEngines, ProductsThatCublasDoesNotHave) {
  const WithGpu gpu;
  make_others_slow(kCublas);
  const Bytes x{fb::DType::uint8, kStep, 7};
  const auto taken = [&](std::int64_t cin, const Product& p) {
    const std::vector<std::byte> bytes = file_of(layer(x, cin, p));
    return engines(Session(Model::from_bytes(bytes), tuned()), kCublas);
  };
  EXPECT_EQ(taken(16, {16, 1, x}), 1);
  EXPECT_EQ(taken(18, {16, 1, x}), 0);
  EXPECT_EQ(taken(16, {18, 1, x}), 0);
  EXPECT_EQ(taken(16, {16, 3, x}), 0);
  EXPECT_EQ(taken(16, {16, 1, x, Unary::none, false, 2}), 0);
}

/// Layers with the same weights have one form of them where their scales are the same.
TEST_F(IntegerEngines, LayersWithTheSameWeights) {
  const Bytes plain{fb::DType::int8, kStep}, shifted{fb::DType::int8, kStep, 9};
  const auto bytes_of = [&](const Bytes& second) {
    Graph g = layer(plain, 16, {16, 1, kFloats});
    const ir::Node first = g.node(g.value(g.outputs[0]).producer);
    std::vector<ValueId> operands = first.inputs;
    operands[0] = quantize(g, g.add_input("x2", DType::float32, {2, 5, 6, 16}), second);
    g.outputs.push_back(g.add(Op::integer_conv, first.attrs, operands, "second"));
    return file_of(g);
  };
  const WithGpu gpu;
  const SessionOptions on_gpu{.device = DeviceKind::cuda, .strict_gpu = true};
  const auto weights = [&](const Bytes& second) {
    const std::vector<std::byte> bytes = bytes_of(second);
    const Model model = Model::from_bytes(bytes);
    Session host(model, {.device = DeviceKind::cpu}), session(model, on_gpu);
    expect_equal_bits(outputs_of(session), outputs_of(host), "");
    return session.memory().weights;
  };
  EXPECT_LT(weights(plain), weights(shifted));
}

/// The sums are scratch: who has no room for them keeps our kernel.
TEST_F(IntegerEngines, ProductsTakeScratch) {
  const WithGpu gpu;
  make_others_slow(kCublas);
  const Bytes x{fb::DType::uint8, kStep, 7};
  const std::vector<std::byte> bytes = file_of(layer(x, 64, {512, 1, x}));
  const Model model = Model::from_bytes(bytes);
  const Session own(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  SessionOptions options = tuned();
  const Session taken(model, options);
  EXPECT_EQ(engines(taken, kCublas), 1);
  EXPECT_TRUE(taken.step(1).tensor_cores);
  EXPECT_GE(taken.memory().workspace, own.memory().workspace + 60 * (64 + 512 * 4));
  options = tuned();
  options.memory_limit = taken.memory().total - 1;
  EXPECT_EQ(engines(Session(model, options), kCublas), 0);
}

/// Without tuning, and where it is the faster one, our kernel stays.
TEST_F(IntegerEngines, OursIsTheDefault) {
  const WithGpu gpu;
  const Bytes x{fb::DType::int8, kStep};
  const std::vector<std::byte> bytes = file_of(layer(x, 16, {16, 3, x}));
  const Model model = Model::from_bytes(bytes);
  cuda_double_set_cost("multiply_integers", 0.25);
  EXPECT_EQ(engines(Session(model, tuned())), 0);
  make_others_slow();
  EXPECT_EQ(engines(Session(model, {.device = DeviceKind::cuda, .strict_gpu = true})), 0);
}

/// Every call of a tuned load fails once.
TEST_F(IntegerEngines, FailuresLeakNothing) {
  const Bytes x{fb::DType::int8, kStep}, y{fb::DType::uint8, kStep, 3};
  Graph g = layer(x, 16, {16, 3, y, Unary::relu, true});
  const ValueId first = g.node(g.value(g.outputs[0]).producer).inputs[0];
  g.outputs = {integer_conv(g, first, {8, 1, kFloats})};
  const std::vector<std::byte> bytes = file_of(g);
  const auto load = [&] {
    const Model model = Model::from_bytes(bytes);
    Session session(model, tuned());
    return session.run().ok() ? engines(session) + engines(session, kCublas) : 0;
  };
  long calls = 0;
  {
    const WithGpu gpu;
    make_own_slow();
    const long before = cuda_double_calls();
    EXPECT_EQ(load(), 2);
    calls = cuda_double_calls() - before;
  }
  ASSERT_GT(calls, 100);
  for (long call = 1; call <= calls; call += 1 + calls / 100) {
    SCOPED_TRACE(call);
    const WithGpu gpu;
    make_own_slow();
    cuda_double_fail_at(nullptr, call, 2);
    try {
      static_cast<void>(load());
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
    }
  }
}

}  // namespace
}  // namespace skiff::test
