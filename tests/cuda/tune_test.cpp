#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "converters/writer.h"
#include "gpu.h"
#include "runtime/tune/tuner.h"
#include "tests/support/command.h"
#include "tests/support/model_samples.h"

// Tuning: what is chosen, kept, used again and not used any more. The double's clock stands in for
// a GPU's: each kind of work takes the time it was told.
namespace skiff::test {
namespace {

/// The file of a sample; stays where it is.
const std::vector<std::byte>& file_named(const std::string& name) {
  static std::map<std::string, std::vector<std::byte>> files;
  std::vector<std::byte>& bytes = files[name];
  if (bytes.empty()) bytes = file_of(*std::ranges::find(model_samples(), name, &ModelSample::name));
  return bytes;
}

/// Nothing is known from elsewhere, and what is found stays in a folder of the test.
class Tune : public ::testing::Test {
 protected:
  Tune() {
    tune::forget_tuning();
    options_.plan_cache = path_.c_str();
  }
  ~Tune() override { tune::forget_tuning(); }

  SessionOptions with(Tuning tuning) const {
    SessionOptions options = options_;
    options.tuning = tuning;
    return options;
  }

  ScratchFolder folder_;
  std::string path_ = folder_ / "plans";
  SessionOptions options_{.device = DeviceKind::cuda, .strict_gpu = true};
};

/// The algorithms of an operator's steps.
std::string algorithms(const Session& session, std::string_view op) {
  std::string all;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    if (const StepInfo step = session.step(i); step.op == op)
      all += std::string(step.algorithm) + ";";
  return all;
}

std::vector<float> outputs_of(Session& session) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    if (session.input(i).dtype() != DType::float32) continue;
    const std::span<float> values = session.input(i).values<float>();
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = static_cast<float>((k * 37 + i) % 23) / 11 - 1;
  }
  EXPECT_TRUE(session.run().ok()) << cuda_double_complaints();
  std::vector<float> all;
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    if (session.output(i).dtype() != DType::float32) continue;
    const auto values = session.output(i).values<const float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// The questions that a plan cache's text answers; its first two lines are a heading.
std::vector<std::string> keys_of(const std::string& text) {
  constexpr std::size_t kDigits = 64;
  std::vector<std::string> keys;
  std::size_t at = text.find('\n', text.find('\n') + 1) + 1;
  for (; at < text.size(); at = text.find('\n', at) + 1) keys.push_back(text.substr(at, kDigits));
  return keys;
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-4f * std::max(1.0f, std::abs(b[i]))) << i;
}

TEST_F(Tune, TakesTheFastest) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  Session plain(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  const std::vector<float> right = outputs_of(plain);
  EXPECT_NE(algorithms(plain, "conv").find("cuDNN 1"), std::string::npos)
      << algorithms(plain, "conv");

  cuda_double_set_cost("cudnn 0", 0.25);
  Session engine(model, with(Tuning::fast));
  EXPECT_NE(algorithms(engine, "conv").find("cuDNN 0"), std::string::npos)
      << algorithms(engine, "conv");
  EXPECT_EQ(algorithms(engine, "conv").find("cuDNN 1"), std::string::npos);
  expect_near(outputs_of(engine), right);
  EXPECT_EQ(Session::predict(model, with(Tuning::fast)).total, engine.memory().total);

  tune::forget_tuning();
  std::remove(path_.c_str());
  cuda_double_set_cost("convolve_direct", 0.125);
  Session direct(model, with(Tuning::fast));
  EXPECT_NE(algorithms(direct, "conv").find("direct"), std::string::npos)
      << algorithms(direct, "conv");
  expect_near(outputs_of(direct), right);
}

TEST_F(Tune, ProductsToo) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  cuda_double_set_cost("cublaslt 1", 0.25);
  const std::string fast = algorithms(Session(model, with(Tuning::fast)), "matmul");
  EXPECT_NE(read_text(path_).find("cublaslt"), std::string::npos) << read_text(path_) << fast;
}

TEST_F(Tune, WhatWasFoundIsKept) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  cuda_double_set_cost("cudnn 0", 0.25);
  const std::string chosen = algorithms(Session(model, with(Tuning::fast)), "conv");
  const std::string kept = read_text(path_);
  EXPECT_NE(kept.find("cudnn.all.0"), std::string::npos) << kept;

  // Another process, where the clock would say something else.
  tune::forget_tuning();
  cuda_double_set_cost("cudnn 0", 8);
  EXPECT_EQ(algorithms(Session(model, with(Tuning::fast)), "conv"), chosen);
  EXPECT_EQ(read_text(path_), kept);
  tune::forget_tuning();
  EXPECT_EQ(algorithms(Session(model, with(Tuning::off)), "conv"), chosen) << "a named file";
  SessionOptions unnamed = options_;
  unnamed.plan_cache = nullptr;
  tune::forget_tuning();
  EXPECT_NE(algorithms(Session(model, unnamed), "conv"), chosen) << "off is off";
}

TEST_F(Tune, AnotherMachineTimesAnew) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  cuda_double_set_cost("cudnn 0", 0.25);
  const std::string here = algorithms(Session(model, with(Tuning::fast)), "conv");
  tune::forget_tuning();
  constexpr cuda_double_device kOther{1, 13000, 9, 0, 0, 1, 0};
  cuda_double_set_device(&kOther);
  cuda_double_set_cost("cudnn 0", 8);
  EXPECT_NE(
      algorithms(Session(Model::from_bytes(file_named("picture")), with(Tuning::fast)), "conv"),
      here);
}

/// A damaged file costs nothing but time.
TEST_F(Tune, ADamagedFileIsIgnored) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  Session plain(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  const std::vector<float> right = outputs_of(plain);
  cuda_double_set_cost("cudnn 0", 0.25);
  { const Session tuned(model, with(Tuning::fast)); }
  const std::string whole = read_text(path_);
  const auto expect_ignored = [&](const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    tune::forget_tuning();
    Session session(model, with(Tuning::off));
    EXPECT_EQ(algorithms(session, "conv"), algorithms(plain, "conv"));
    expect_near(outputs_of(session), right);
  };
  for (std::size_t at = 0; at < whole.size(); at += 29) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    expect_ignored(damaged);
    expect_ignored(whole.substr(0, at));
  }
}

/// Whoever makes a right digest may name anything.
TEST_F(Tune, ForeignNamesAreIgnored) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  { const Session tuned(model, with(Tuning::fast)); }
  const std::vector<std::string> keys = keys_of(read_text(path_));
  ASSERT_GT(keys.size(), 0u);
  for (const char* name : {"nonsense", "cudnn.all.77", "cudnn.", "cudnn.all.2", "cudnn.all.3",
                           "cublaslt.63", "cublaslt.-1", "cublaslt.999999999999"}) {
    tune::PlanCache forged;
    for (const std::string& key : keys) forged.put(key, name);
    std::ofstream(path_, std::ios::binary) << forged.text();
    tune::forget_tuning();
    Session session(model, with(Tuning::off));
    EXPECT_NE(algorithms(session, "conv").find("cuDNN 1"), std::string::npos) << name;
    EXPECT_TRUE(session.run().ok());
  }
}

TEST_F(Tune, NoPlaceToKeepItIsNoError) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  SessionOptions options = with(Tuning::fast);
  options.plan_cache = "/proc/plans";
  std::string said;
  options.log = {[](void* to, LogLevel level, const char* text) {
                   if (level == LogLevel::warning) *static_cast<std::string*>(to) += text;
                 },
                 &said};
  Session session(model, options);
  EXPECT_NE(said.find("not kept"), std::string::npos) << said;
  EXPECT_EQ(Session::predict(model, options).total, session.memory().total);
}

/// Without a file too: what was timed once is not timed again.
TEST_F(Tune, SessionsOfAProcessAgree) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  SessionOptions options = with(Tuning::fast);
  options.plan_cache = "/proc/plans";
  cuda_double_set_cost("cudnn 0", 0.25);
  const std::string first = algorithms(Session(model, options), "conv");
  EXPECT_NE(first.find("cuDNN 0"), std::string::npos) << first;
  cuda_double_set_cost("cudnn 0", 8);
  EXPECT_EQ(algorithms(Session(model, options), "conv"), first);
}

TEST_F(Tune, CloseOnesAreDecidedInPlace) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  cuda_double_set_cost("cudnn 0", 0.95);
  const long launches = cuda_double_graph_launches();
  { const Session fast(model, with(Tuning::fast)); }
  const long of_fast = cuda_double_graph_launches() - launches;
  tune::forget_tuning();
  std::remove(path_.c_str());
  Session session(model, with(Tuning::full));
  EXPECT_GT(cuda_double_graph_launches() - launches - of_fast, of_fast);
  EXPECT_NE(algorithms(session, "conv").find("cuDNN 0"), std::string::npos);
  EXPECT_TRUE(session.run().ok());
}

struct Told {
  std::string stage;
  double done;
};

void keep(void* user, const char* stage, double done) {
  static_cast<std::vector<Told>*>(user)->push_back({stage, done});
}

/// What was told goes up within each stage and names `stages`, in this order.
void expect_told(const std::vector<Told>& told, const std::vector<std::string>& stages) {
  std::vector<std::string> seen;
  double last = 0;
  for (const auto& [stage, done] : told) {
    if (seen.empty() || seen.back() != stage) {
      seen.push_back(stage);
      last = 0;
    }
    EXPECT_GE(done, last) << stage;
    EXPECT_LE(done, 1) << stage;
    last = done;
  }
  EXPECT_EQ(seen, stages);
}

TEST_F(Tune, SaysHowFarItIs) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  cuda_double_set_cost("cudnn 0", 0.95);
  std::vector<Told> told;
  SessionOptions options = with(Tuning::full);
  options.progress = {keep, &told};
  { const Session session(model, options); }
  EXPECT_GT(told.size(), 3u);
  expect_told(told, {"timing layers", "timing close ones in place"});
  told.clear();
  tune::forget_tuning();
  { const Session session(model, options); }
  expect_told(told, {});  // all is in the plan cache
}

TEST_F(Tune, ClearOnesAreNotTriedInPlace) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  const auto launches_with = [&](double cost) {
    tune::forget_tuning();
    std::remove(path_.c_str());
    cuda_double_set_cost("cudnn 0", cost);
    const long before = cuda_double_graph_launches();
    const Session session(model, with(Tuning::full));
    return cuda_double_graph_launches() - before;
  };
  EXPECT_GT(launches_with(0.95), launches_with(0.5));
}

TEST_F(Tune, SessionsMayDisagree) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  Session plain(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  cuda_double_set_cost("convolve_direct", 0.125);
  Session tuned(model, with(Tuning::fast));
  expect_near(outputs_of(tuned), outputs_of(plain));
  EXPECT_NE(algorithms(tuned, "conv"), algorithms(plain, "conv"));
  const Session untuned(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  EXPECT_EQ(algorithms(untuned, "conv"), algorithms(plain, "conv")) << "off is off";
}

/// An engine that refuses must not win with another one's time.
TEST_F(Tune, OnlyWhatWasAskedForIsTimed) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  { const Session tuned(model, with(Tuning::fast)); }
  const std::string kept = read_text(path_);
  EXPECT_NE(kept.find("cudnn.all."), std::string::npos) << kept;
  EXPECT_EQ(kept.find("cudnn.all.2"), std::string::npos) << kept;
}

TEST_F(Tune, OpenSizesAreTunedWhenTheyArePrepared) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("sizes"));
  Session session(model, with(Tuning::fast));
  const std::string first = read_text(path_);
  session.prepare(std::vector<InputShape>{{"x", {3, 5, 4}}, {"memory", {3, 3}}});
  EXPECT_GT(read_text(path_).size(), first.size());
}

/// A budget below what the best engine's scratch takes gets another engine.
TEST_F(Tune, TheBudgetDecidesTheEngine) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  SessionOptions options{.device = DeviceKind::cuda, .strict_gpu = true};
  Session plain(model, options);
  ASSERT_GT(plain.memory().workspace, 0u);
  options.memory_limit = plain.memory().total - 1;
  Session small(model, options);
  EXPECT_LT(small.memory().total, plain.memory().total);
  EXPECT_EQ(small.memory().total, Session::predict(model, options).total);
  EXPECT_NE(algorithms(small, "conv"), algorithms(plain, "conv"));
  expect_near(outputs_of(small), outputs_of(plain));
  options.memory_limit = 1000;
  EXPECT_THROW(Session(model, options), Error);
}

/// What is best within a budget is no answer for those who have none, nor the other way round.
TEST_F(Tune, BudgetsAreTunedApart) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(file_named("picture"));
  cuda_double_set_cost("cudnn 1", 0.25);
  cuda_double_set_cost("convolve_direct", 0.5);
  SessionOptions small = with(Tuning::fast);
  small.memory_limit =
      Session::predict(model, {.device = DeviceKind::cuda, .strict_gpu = true}).total - 1;
  for (int again = 0; again < 2; ++again) {
    EXPECT_NE(algorithms(Session(model, small), "conv").find("direct"), std::string::npos);
    EXPECT_NE(algorithms(Session(model, with(Tuning::fast)), "conv").find("cuDNN 1"),
              std::string::npos);
  }
}

/// Convolutions that are products of pixels, with all that is fused behind them and with what is
/// left to do, and a plain one.
std::vector<std::byte> products_of_pixels() {
  ir::Graph g;
  g.name = "products";
  const auto ramp = [&](const char* name, const Shape& shape) {
    std::vector<float> numbers(static_cast<std::size_t>(shape.elements()));
    for (std::size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = static_cast<float>((i + g.value_count()) * 29 % 17) / 8 - 1;
    return g.add_constant<float>(name, shape, numbers);
  };
  fb::ConvAttrsT conv;
  conv.strides = conv.dilations = {1, 1};
  conv.pads = {0, 0, 0, 0};
  const ir::ValueId x = g.add_input("x", DType::float32, {2, 3, 5, 4});
  const ir::ValueId residual = g.add_input("residual", DType::float32, {2, 3, 5, 6});
  const ir::ValueId plain = g.add(fb::OpKind::conv, conv, {x, ramp("w", {6, 1, 1, 4})}, "plain");
  conv.activation = fb::UnaryFunction::relu;
  const ir::ValueId fused = g.add(
      fb::OpKind::conv, conv, {x, ramp("wf", {6, 1, 1, 4}), ramp("bf", {6}), residual}, "fused");
  conv.activation = fb::UnaryFunction::hard_swish;
  const ir::ValueId left = g.add(fb::OpKind::conv, conv,
                                 {x, ramp("wl", {6, 1, 1, 4}), ramp("bl", {6}), residual}, "left");
  conv.pads = {1, 1, 1, 1};
  const ir::ValueId window =
      g.add(fb::OpKind::conv, conv, {x, ramp("w3", {6, 3, 3, 4}), ramp("b3", {6})}, "window");
  g.outputs = {plain, fused, left, window};
  convert::Manifest manifest;
  manifest.name = g.name;
  return convert::write_model(g, manifest);
}

/// Whatever a file names, the result is the CPU's.
TEST_F(Tune, EveryAlgorithmIsRight) {
  const WithGpu gpu;
  const std::vector<std::byte> bytes = products_of_pixels();
  const Model model = Model::from_bytes(bytes);
  Session on_cpu(model, {.device = DeviceKind::cpu});
  const std::vector<float> right = outputs_of(on_cpu);
  { const Session tuned(model, with(Tuning::fast)); }
  const std::vector<std::string> keys = keys_of(read_text(path_));
  ASSERT_EQ(keys.size(), 4u);
  const std::pair<const char*, const char*> kAlgorithms[] = {{"direct", "direct"},
                                                             {"cublaslt.0", "cuBLASLt, 1x1"},
                                                             {"cublaslt.1", "cuBLASLt, 1x1"},
                                                             {"cudnn.all.0", "cuDNN 0"},
                                                             {"cudnn.sum.0", "cuDNN 0"},
                                                             {"cudnn.none.0", "cuDNN 0"},
                                                             {"cudnn.all.1.1=3", "cuDNN 1"}};
  for (const auto& [name, algorithm] : kAlgorithms) {
    SCOPED_TRACE(name);
    tune::PlanCache forged;
    for (const std::string& key : keys) forged.put(key, name);
    std::ofstream(path_, std::ios::binary) << forged.text();
    tune::forget_tuning();
    Session session(model, with(Tuning::off));
    EXPECT_NE(algorithms(session, "conv").find(algorithm), std::string::npos)
        << algorithms(session, "conv");
    expect_near(outputs_of(session), right);
  }
}

/// Every call of a tuned load fails once.
TEST_F(Tune, FailuresWhileTimingLeakNothing) {
  const std::vector<std::byte> bytes = file_named("picture");
  const auto load = [&] {
    const Model model = Model::from_bytes(bytes);
    Session session(model, with(Tuning::fast));
    return session.run().ok();
  };
  long calls = 0;
  {
    const WithGpu gpu;
    const long before = cuda_double_calls();
    EXPECT_TRUE(load());
    calls = cuda_double_calls() - before;
  }
  for (long call = 1; call <= calls; call += 1 + calls / 150) {
    SCOPED_TRACE(call);
    const WithGpu gpu;
    tune::forget_tuning();
    std::remove(path_.c_str());
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
