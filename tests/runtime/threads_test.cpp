#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <filesystem>
#include <thread>
#include <vector>

// One model, many threads, each with a session of its own that has threads again. For
// ThreadSanitizer above all: what sessions share is written once and read-only afterwards.
namespace skiff::test {
namespace {

std::vector<std::byte> outputs_of(Session& session) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    if (input.dtype() != DType::float32) continue;  // indices: zeros are right
    float next = -1;
    for (float& value : input.values<float>()) value = next += 0.01f;
  }
  EXPECT_TRUE(session.run().ok());
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < session.output_count(); ++i)
    bytes.insert(bytes.end(), session.output(i).bytes().begin(), session.output(i).bytes().end());
  return bytes;
}

TEST(Threads, SessionsOfOneModelAreIndependent) {
  int models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SKIFF_CORPUS)) {
    SCOPED_TRACE(entry.path().filename().string());
    const Model model = Model::load(entry.path().c_str());
    Session alone(model);
    const std::vector<std::byte> expected = outputs_of(alone);
    std::vector<int> right(4, 0);
    std::vector<std::thread> threads;
    for (int& count : right)
      threads.emplace_back([&] {
        for (int session = 0; session < 3; ++session) {
          Session mine(model, {.threads = 1 + session});
          for (int run = 0; run < 5; ++run) count += outputs_of(mine) == expected;
        }
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, std::vector<int>(4, 15));
    ++models;
  }
  EXPECT_GE(models, 4);
}

}  // namespace
}  // namespace skiff::test
