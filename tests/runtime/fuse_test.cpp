#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "tests/runtime/networks.h"
#include "tests/support/memory_promise.h"
#include "tests/support/shared_data.h"

// Fused blocks in real networks: the bits of the single layers, and the memory that was promised.
namespace skiff::test {
namespace {

void fill(const Session& session, unsigned seed) {
  std::mt19937 engine(seed);
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    if (session.input(i).dtype() != DType::float32) continue;
    for (float& x : session.input(i).values<float>())
      x = static_cast<float>(engine() % 2001) / 1000.0f - 1.0f;
  }
}

std::vector<std::byte> outputs(const Session& session) {
  std::vector<std::byte> all;
  for (std::size_t i = 0; i < session.output_count(); ++i)
    all.insert(all.end(), session.output(i).bytes().begin(), session.output(i).bytes().end());
  return all;
}

int fused_layers(const Session& session) {
  int count = 0;
  for (std::size_t s = 0; s < session.step_count(); ++s) count += session.step(s).layers - 1;
  return count;
}

class Fused : public ::testing::TestWithParam<Network> {
 protected:
  void SetUp() override {
    const auto files = golden_files(GetParam());
    if (files.empty())
      GTEST_SKIP() << "no shared data for " << GetParam().model << " (set SKIFF_DATA)";
    for (const auto& file : files) golden_.push_back(npy::load_npz(file.string()));
    bytes_ = &converted(GetParam(), golden_.front());
  }

  /// Every input as the golden case has it.
  void resize(Session& session, const npy::Archive& golden) const {
    std::vector<InputShape> shapes;
    for (std::size_t i = 0; i < session.input_count(); ++i) {
      const std::string_view name = session.input(i).name();
      shapes.push_back({name, golden.at("in/" + std::string(name)).shape});
    }
    const Status status = session.resize(shapes);
    ASSERT_TRUE(status.ok()) << status.message();
  }

  std::vector<npy::Archive> golden_;
  const std::vector<std::byte>* bytes_ = nullptr;
};

TEST_P(Fused, BitsAreThoseOfTheSingleLayers) {
  const Model model = Model::from_bytes(*bytes_);  // all sessions share its weights
  Session single(model, {.fuse = Fuse::off});
  EXPECT_EQ(fused_layers(single), 0);
  for (Fuse fuse : {Fuse::automatic, Fuse::on})
    for (int threads = 1; threads <= 4; ++threads) {
      Session session(model, {.threads = threads, .fuse = fuse});
      if (fused_layers(session) == 0) continue;
      for (const npy::Archive& golden : golden_) {
        for (Session* s : {&single, &session}) {
          ASSERT_NO_FATAL_FAILURE(resize(*s, golden));
          s->reset();
          fill(*s, 5);
          ASSERT_TRUE(s->run().ok());
        }
        EXPECT_TRUE(outputs(single) == outputs(session))
            << threads << " threads, " << fused_layers(session) << " layers fused";
      }
    }
}

TEST_P(Fused, PredictedIsUsed) {
  const SessionOptions options{.threads = 2, .fuse = Fuse::on};
  Session session = session_as_predicted(*bytes_, options);
  expect_run_allocates_nothing(session);
}

INSTANTIATE_TEST_SUITE_P(Networks, Fused, ::testing::ValuesIn(networks()),
                         [](const auto& tested) { return test_label(tested.param.label()); });

}  // namespace
}  // namespace skiff::test
