#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cstring>

#include "converters/convert.h"
#include "tests/support/agreement.h"
#include "tests/support/memory_promise.h"
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
  Session session = session_as_predicted(silero(1));
  const auto expected = numbers_of(golden_.at("out/output"));
  ASSERT_EQ(expected.size(), 31u);
  expect_no_allocation([&] { session.reset(); });
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
std::vector<std::byte> silero_for_both_rates(bool any_batch) {
  convert::ConvertOptions options;
  options.states["stateN"] = "state";
  if (any_batch)
    options.dynamic = {{"input:0,state:1", 1, 1, 4}, {"input:1", 576, 576, 576}};
  else
    options.import.shapes = {{"input", {1, 576}}, {"state", {2, 1, 128}}};
  return convert::convert_file((shared_data() / "models/onnx/silero_vad_v5.onnx").string(),
                               options);
}

TEST_P(Silero, ChoosesItsBranchAtRunTime) {
  static const std::vector<std::byte> file = silero_for_both_rates(false);
  const Model model = Model::from_bytes(file);
  Session session(model, {.threads = 2});
  EXPECT_EQ(Session::predict(model, {.threads = 2}).total, session.memory().total);
  session.input("sr").values<std::int64_t>()[0] = 16000;
  const auto expected = numbers_of(golden_.at("out/output"));
  const std::vector<double> first = steps(session);
  expect_agreement(first, expected, "output");
  session.reset();
  expect_run_allocates_nothing(session);
  session.input("sr").values<std::int64_t>()[0] = 8000;  // would take 256 samples, not 512
  EXPECT_EQ(session.run().code(), ErrorCode::bad_value);
}

TEST_P(Silero, ChoosesItsBranchForABatchOfAnySize) {
  static const std::vector<std::byte> file = silero_for_both_rates(true);
  const Model model = Model::from_bytes(file);
  Session session(model);
  EXPECT_EQ(Session::predict(model).total, session.memory().total);
  const auto expected = numbers_of(golden_.at("out/output"));
  for (std::int64_t batch : {3, 1, 4}) {
    Status resized;
    expect_no_allocation([&] { resized = session.resize("input", {batch, 576}); });
    ASSERT_TRUE(resized.ok()) << resized.message();
    session.input("sr").values<std::int64_t>()[0] = 16000;
    expect_agreement(steps(session, batch), expected, "output of the last item");
  }
}

/// What the only output is for these numbers of the only input.
std::vector<double> run_on(Session& session, std::span<const float> items) {
  const auto x = session.input(0).values<float>();
  EXPECT_EQ(x.size(), items.size());
  std::ranges::copy(items, x.begin());
  EXPECT_TRUE(session.run().ok());
  const auto y = session.output(0).values<const float>();
  return {y.begin(), y.end()};
}

/// The states of TFLite's recurrent layers are variables, which grow with the batch.
TEST(Variables, GrowWithTheBatch) {
  const auto path = shared_data() / "models/tflite/trained_lstm.tflite";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set SKIFF_DATA)";
  convert::ConvertOptions any;
  any.dynamic = {{"serving_default_fixed_input:0:0", 1, 2, 4}};
  const std::vector<std::byte> file = convert::convert_file(path.string(), any),
                               file_for_one = convert::convert_file(path.string(), {});
  const Model model = Model::from_bytes(file);
  Session session(model), one(Model::from_bytes(file_for_one));
  EXPECT_EQ(Session::predict(model).total, session.memory().total);
  const auto length = static_cast<std::size_t>(one.input(0).shape().elements());
  std::vector<float> items(4 * length);
  for (std::size_t i = 0; i < items.size(); ++i)
    items[i] = static_cast<float>(i * i % 97) / 97 * (i / length % 2 == 0 ? 1.0f : -1.0f);
  for (std::size_t batch : {2u, 4u, 1u, 4u}) {
    SCOPED_TRACE(batch);
    const Shape of_one = one.input(0).shape();
    const Status resized = session.resize(session.input(0).name(),
                                          {static_cast<std::int64_t>(batch), of_one[1], of_one[2]});
    ASSERT_TRUE(resized.ok()) << resized.message();
    const std::span<const float> taken(items.data(), batch * length);
    const std::vector<double> first = run_on(session, taken), second = run_on(session, taken);
    for (std::size_t item = 0; item < batch; ++item) {
      one.reset();
      for (const std::vector<double>* all : {&first, &second}) {
        const auto expected = run_on(one, taken.subspan(item * length, length));
        const auto size = static_cast<std::ptrdiff_t>(expected.size());
        const auto from = all->begin() + static_cast<std::ptrdiff_t>(item) * size;
        expect_agreement({from, from + size}, expected, "output of an item");
      }
    }
    EXPECT_NE(first, second) << "nothing is carried on";
    session.reset();
    EXPECT_EQ(run_on(session, taken), first) << "reset() does not start afresh";
  }
}

INSTANTIATE_TEST_SUITE_P(Recordings, Silero, ::testing::Values("yes", "noise", "silence"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace skiff::test
