#include "tests/runtime/hostile_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

namespace skiff::test {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{64} << 20;

/// Every input as small and as large as it may be, and in between.
void try_sizes(const Model& model, Session& session) {
  for (const int part : {0, 1, 2, 3}) {
    std::vector<InputShape> shapes;
    for (std::size_t i = 0; i < model.input_count(); ++i) {
      shapes.push_back({model.input(i).name, model.input(i).shape});
      for (int axis = 0; axis < shapes.back().shape.rank(); ++axis) {
        const int symbol = model.input_symbol(i, axis);
        if (symbol < 0) continue;
        const SymbolDesc s = model.symbol(static_cast<std::size_t>(symbol));
        shapes.back().shape[axis] = s.min + (s.max - s.min) / 3 * part;
      }
    }
    const Status resized = session.resize(shapes);
    EXPECT_NE(resized.code(), ErrorCode::internal) << resized.message();
    const Status ran = session.run();
    EXPECT_NE(ran.code(), ErrorCode::internal) << ran.message();
  }
}

/// A typed failure counts as one of `outcomes`; true when there was none.
bool runs(std::span<const std::byte> file, Outcomes& outcomes, bool digests) {
  try {
    const Model model = Model::from_bytes(file, {.digests = digests, .memory_limit = kLimit});
    Session session(model, {.memory_limit = kLimit});
    const Status status = session.run();
    if (model.symbol_count() > 0) try_sizes(model, session);
    if (status.ok()) return true;
    EXPECT_NE(status.code(), ErrorCode::internal) << status.message();
    ++outcomes.refused[status.code()];
  } catch (const Error& error) {  // anything else escapes and fails the test
    EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
    EXPECT_STRNE(error.what(), "");
    ++outcomes.refused[error.code()];
  }
  return false;
}

}  // namespace

void try_file(std::span<const std::byte> file, Outcomes& outcomes, bool digests) {
  const auto begin = std::chrono::steady_clock::now();
  if (runs(file, outcomes, digests)) ++outcomes.ran;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  outcomes.slowest_s = std::max(outcomes.slowest_s, taken.count());
}

std::size_t Outcomes::count() const {
  std::size_t sum = ran;
  for (const auto& [code, number] : refused) sum += number;
  return sum;
}

std::string Outcomes::text() const {
  std::string result = "ran " + std::to_string(ran);
  for (const auto& [code, number] : refused)
    result += std::string(", ") + name_of(code) + " " + std::to_string(number);
  return result + ", slowest " + std::to_string(slowest_s) + " s";
}

}  // namespace skiff::test
