#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cstring>

#include "converters/convert.h"
#include "tests/support/agreement.h"
#include "tests/support/malloc_probe.h"
#include "tests/support/shared_data.h"

// A recurrent network whose state the session keeps: silero_vad_v5, 31 steps of each recording.
namespace skiff::test {
namespace {

const std::vector<std::byte>& silero(std::int64_t batch) {
  static std::map<std::int64_t, std::vector<std::byte>> made;
  auto& bytes = made[batch];
  if (!bytes.empty()) return bytes;
  convert::ConvertOptions options;
  options.bind["sr"] = {16000};
  options.states["stateN"] = "state";
  if (batch == 0)
    options.dynamic = {{"input:0,state:1", 1, 1, 4}, {"input:1", 576, 576, 576}};
  else
    options.import.shapes = {{"input", {batch, 576}}, {"state", {2, batch, 128}}};
  bytes =
      convert::convert_file((shared_data() / "models/onnx/silero_vad_v5.onnx").string(), options);
  return bytes;
}

class Silero : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto file = shared_data() / "models/golden" /
                      ("silero_vad_v5.steps_" + std::string(GetParam()) + ".npz");
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << " (set SKIFF_DATA)";
    golden_ = npy::load_npz(file.string());
  }

  std::vector<double> steps(Session& session, std::int64_t batch = 1) const {
    const npy::Array& sound = golden_.at("in/input");  // [steps, 1, samples]
    const std::size_t bytes = sound.bytes.size() / static_cast<std::size_t>(sound.shape[0]);
    std::vector<double> answers;
    for (std::size_t at = 0; at < sound.bytes.size(); at += bytes) {
      for (std::int64_t item = 0; item < batch; ++item)
        std::memcpy(session.input("input").bytes().data() + static_cast<std::size_t>(item) * bytes,
                    sound.bytes.data() + at, bytes);
      EXPECT_TRUE(session.run().ok());
      answers.push_back(static_cast<double>(session.output("output").values<const float>().back()));
    }
    return answers;
  }

  npy::Archive golden_;
};

TEST_P(Silero, StepsNeedNoCopyingByTheCaller) {
  Session session(Model::from_bytes(silero(1)));
  const auto expected = numbers_of(golden_.at("out/output"));
  ASSERT_EQ(expected.size(), 31u);
  MallocProbe probe;
  session.reset();
  const auto count = probe.stop();
  if (kMallocProbeWorks) {
    EXPECT_EQ(count.calls, 0u);
  }
  const std::vector<double> first = steps(session);
  expect_agreement(first, expected, "output");
  EXPECT_NE(steps(session), first) << "the state is not carried on";
  session.reset();
  EXPECT_EQ(steps(session), first) << "reset() does not start afresh";
  const double most = *std::max_element(first.begin(), first.end());
  if (std::string(GetParam()) == "yes")
    EXPECT_GT(most, 0.9) << "speech";
  else
    EXPECT_LT(most, 0.5) << "no speech";
}

TEST_P(Silero, AlsoForABatchOfAnySize) {
  const Model model = Model::from_bytes(silero(0));
  Session session(model);
  const auto expected = numbers_of(golden_.at("out/output"));
  for (std::int64_t batch : {3, 1, 4}) {
    ASSERT_TRUE(session.resize("input", {batch, 576}).ok());
    EXPECT_EQ(session.input("state").shape(), Shape({2, batch, 128}));
    expect_agreement(steps(session, batch), expected, "output of the last item");
  }
  EXPECT_EQ(Session::predict(model).total, session.memory().total);
}

/// The sample rate stays an input: both halves of the network are in the file.
const std::vector<std::byte>& silero_for_both_rates() {
  static const std::vector<std::byte> bytes = [] {
    convert::ConvertOptions options;
    options.states["stateN"] = "state";
    options.import.shapes = {{"input", {1, 576}}, {"state", {2, 1, 128}}};
    return convert::convert_file((shared_data() / "models/onnx/silero_vad_v5.onnx").string(),
                                 options);
  }();
  return bytes;
}

TEST_P(Silero, ChoosesItsBranchAtRunTime) {
  const Model model = Model::from_bytes(silero_for_both_rates());
  Session session(model, {.threads = 2});
  EXPECT_EQ(Session::predict(model, {.threads = 2}).total, session.memory().total);
  session.input("sr").values<std::int64_t>()[0] = 16000;
  const auto expected = numbers_of(golden_.at("out/output"));
  const std::vector<double> first = steps(session);
  expect_agreement(first, expected, "output");
  session.reset();
  MallocProbe probe;
  static_cast<void>(session.run());
  const auto count = probe.stop();
  session.input("sr").values<std::int64_t>()[0] = 8000;  // would take 256 samples, not 512
  EXPECT_EQ(session.run().code(), ErrorCode::bad_value);
  if (kMallocProbeWorks) {
    EXPECT_EQ(count.calls, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Recordings, Silero, ::testing::Values("yes", "noise", "silence"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace skiff::test
