#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "tests/support/model_samples.h"

// No memory: for every N the N-th request of a load is refused, alone and with all that follow.
// What comes is the typed error, everything is given back, and the next load works.
namespace skiff::test {
namespace {

/// Memory of which requests [first, last) are refused; remembers what was not given back.
class Faulty {
 public:
  Faulty(std::size_t first, std::size_t last) : first_(first), last_(last) {}
  ~Faulty() { EXPECT_TRUE(live_.empty()) << live_.size() << " blocks leaked"; }

  Allocator allocator() {
    return {.allocate =
                [](void* me, std::size_t bytes, std::size_t alignment) noexcept {
                  return static_cast<Faulty*>(me)->allocate(bytes, alignment);
                },
            .release =
                [](void* me, void* memory, std::size_t) noexcept {
                  EXPECT_EQ(static_cast<Faulty*>(me)->live_.erase(memory), 1u);
                  std::free(memory);
                },
            .context = this};
  }
  std::size_t requests() const { return requests_; }

 private:
  void* allocate(std::size_t bytes, std::size_t alignment) {
    const std::size_t n = requests_++;
    if (n >= first_ && n < last_) return nullptr;
    void* memory = nullptr;
    if (::posix_memalign(&memory, std::max(alignment, sizeof(void*)), bytes) != 0) return nullptr;
    live_.insert(memory);
    return memory;
  }

  std::size_t first_, last_, requests_ = 0;
  std::set<void*> live_;
};

/// Requests of a load and a run; throws what they throw.
std::size_t load(std::span<const std::byte> file, int threads, std::size_t first,
                 std::size_t last) {
  Faulty memory(first, last);
  const Model model = Model::from_bytes(file, {.allocator = memory.allocator()});
  Session session(model, {.threads = threads, .allocator = memory.allocator()});
  EXPECT_TRUE(session.run().ok());
  return memory.requests();
}

class NoMemory : public ::testing::TestWithParam<ModelSample> {};

TEST_P(NoMemory, EveryRequestMayBeRefused) {
  const std::vector<std::byte> file = file_of(GetParam());
  for (int threads : {1, 2}) {
    const std::size_t count = load(file, threads, 1, 0);
    ASSERT_GT(count, 10u);
    for (std::size_t n = 0; n < count; ++n) {
      for (std::size_t last : {n + 1, count + 1}) {
        SCOPED_TRACE(std::to_string(n) + " of " + std::to_string(count));
        try {
          load(file, threads, n, last);
          ADD_FAILURE() << "it did not notice";
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::out_of_memory) << error.what();
        }
      }
    }
    EXPECT_EQ(load(file, threads, 1, 0), count);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, NoMemory, ::testing::ValuesIn(model_samples()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace skiff::test
