#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skiff/model.h>

#include "tests/support/model_samples.h"

// A model reads its bytes in place: what does not outlive the call is refused when compiled.
namespace skiff::test {
namespace {

using Bytes = std::vector<std::byte>;

template <typename T>
concept Loads = requires(T&& bytes) {
  Model::from_bytes(std::forward<T>(bytes));
  Model::from_bytes(std::forward<T>(bytes), LoadOptions{});
};

static_assert(!Loads<Bytes> && !Loads<const Bytes>);
static_assert(!Loads<std::array<std::byte, 128>>);
static_assert(Loads<Bytes&> && Loads<const Bytes&>);
static_assert(Loads<std::array<std::byte, 128>&>);
static_assert(Loads<std::span<std::byte>> && Loads<const std::span<const std::byte>>);
static_assert(Loads<std::span<const std::byte>&>);

TEST(ModelFromBytes, TakesWhatLasts) {
  Bytes file = file_of(model_samples().front());
  const Bytes& same = file;
  const std::string name(Model::from_bytes(file).name());
  EXPECT_FALSE(name.empty());
  EXPECT_EQ(Model::from_bytes(same).name(), name);
  EXPECT_EQ(Model::from_bytes(std::span(file)).name(), name);
  EXPECT_EQ(Model::from_bytes({file.data(), file.size()}).name(), name);
}

}  // namespace
}  // namespace skiff::test
