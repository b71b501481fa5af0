#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "gpu.h"
#include "runtime/core/error.h"
#include "runtime/tune/tuner.h"
#include "tests/support/command.h"
#include "tests/support/integer_graphs.h"

// cuDNN's engines for convolutions of integers: tuning takes them where they are faster than our
// kernel, for the layers that they have; results are the CPU's, but for halves.
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

/// How many convolutions are cuDNN's.
int engines(const Session& session) {
  int count = 0;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    count += session.step(i).algorithm.starts_with("cuDNN") ? 1 : 0;
  return count;
}

void make_own_slow() {
  for (const char* kernel : {"multiply_integers", "convolve_integers"})
    cuda_double_set_cost(kernel, 4);
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

/// Results of the engine, which must be taken, and of the CPU.
void expect_taken(const Graph& graph, const SessionOptions& tuned, bool halves_differ = false) {
  const WithGpu gpu;
  make_own_slow();
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session host(model, {.device = DeviceKind::cpu}), session(model, tuned);
  EXPECT_EQ(engines(session), 1);
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
    make_own_slow();
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

/// Without tuning, and where it is the faster one, our kernel stays.
TEST_F(IntegerEngines, OursIsTheDefault) {
  const WithGpu gpu;
  const Bytes x{fb::DType::int8, kStep};
  const std::vector<std::byte> bytes = file_of(layer(x, 16, {16, 3, x}));
  const Model model = Model::from_bytes(bytes);
  cuda_double_set_cost("multiply_integers", 0.25);
  EXPECT_EQ(engines(Session(model, tuned())), 0);
  make_own_slow();
  EXPECT_EQ(engines(Session(model, {.device = DeviceKind::cuda, .strict_gpu = true})), 0);
}

/// Every call of a tuned load fails once.
TEST_F(IntegerEngines, FailuresLeakNothing) {
  const Bytes x{fb::DType::int8, kStep};
  const std::vector<std::byte> bytes = file_of(layer(x, 16, {16, 3, x, Unary::relu, true}));
  const auto load = [&] {
    const Model model = Model::from_bytes(bytes);
    Session session(model, tuned());
    return session.run().ok() ? engines(session) : 0;
  };
  long calls = 0;
  {
    const WithGpu gpu;
    make_own_slow();
    const long before = cuda_double_calls();
    EXPECT_EQ(load(), 1);
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
