#include <gtest/gtest.h>

#include "tests/converters/tflite_builder.h"
#include "tests/converters/tflite_samples.h"
#include "tests/converters/whole_conversion.h"
#include "tests/support/thorough.h"

// Damaged and hostile bytes: a model or a typed error, for every truncation and every eighth bit.
// What can be imported goes the whole way to a loaded file; by default a sample of it, all of it
// when SKIFF_LONG is set.
namespace skiff::test {
namespace {

using tflite::Builtin;
using tflite::TensorType;

enum class Outcome { imported, refused };

/// Any other exception than Error escapes and fails the test.
Outcome outcome(std::span<const std::byte> bytes) {
  static std::size_t imported = 0;
  const std::size_t stride = thorough() ? 1 : 7;
  try {
    convert::Imported model = convert::import_tflite_bytes(bytes, {});
    if (imported++ % stride == 0) convert_imported(std::move(model.graph));
    return Outcome::imported;
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
    EXPECT_STRNE(error.what(), "");
    return Outcome::refused;
  }
}

class TfliteHostile : public ::testing::TestWithParam<std::vector<std::byte> (*)()> {};

TEST_P(TfliteHostile, EveryTruncation) {
  const std::vector<std::byte> bytes = GetParam()();
  EXPECT_EQ(outcome(bytes), Outcome::imported);
  for (std::size_t size = 0; size < bytes.size(); ++size) outcome(std::span(bytes).first(size));
}

TEST_P(TfliteHostile, EveryEighthBit) {
  std::vector<std::byte> bytes = GetParam()();
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 8) {
    const auto mask = std::byte{1} << (bit / 8 % 8);
    bytes[bit / 8] ^= mask;
    outcome(bytes);
    bytes[bit / 8] ^= mask;
  }
}

TEST_P(TfliteHostile, EveryWordAtItsLimits) {
  std::vector<std::byte> bytes = GetParam()();
  for (std::size_t at = 8; at + 4 <= bytes.size(); at += 4)
    for (const std::uint32_t word : {0U, 1U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
      std::uint32_t before;
      std::memcpy(&before, bytes.data() + at, 4);
      std::memcpy(bytes.data() + at, &word, 4);
      outcome(bytes);
      std::memcpy(bytes.data() + at, &before, 4);
    }
}

INSTANTIATE_TEST_SUITE_P(Models, TfliteHostile,
                         ::testing::Values(picture_model, list_model, recurrent_model,
                                           stateful_model));

/// The error of a model that was built wrongly.
ErrorCode code_of(const std::vector<std::byte>& bytes) {
  try {
    convert::import_tflite_bytes(bytes, {});
    return ErrorCode::ok;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(TfliteHostileModels, OrderAndIndicesAreChecked) {
  TfliteBuilder later;
  const int x = later.tensor("x", {1}), a = later.tensor("a", {1}), b = later.tensor("b", {1});
  later.op(Builtin::NEG, {a}, {b});
  later.op(Builtin::NEG, {x}, {a});
  EXPECT_EQ(code_of(later.finish({x}, {b})), ErrorCode::invalid_model);
  TfliteBuilder cycle;
  const int c = cycle.tensor("c", {1}), d = cycle.tensor("d", {1});
  cycle.op(Builtin::NEG, {c}, {d});
  cycle.op(Builtin::NEG, {d}, {c});
  EXPECT_EQ(code_of(cycle.finish({}, {d})), ErrorCode::invalid_model);
  TfliteBuilder twice;
  const int e = twice.tensor("e", {1}), f = twice.tensor("f", {1});
  twice.op(Builtin::NEG, {e}, {f});
  twice.op(Builtin::ABS, {e}, {f});
  EXPECT_EQ(code_of(twice.finish({e}, {f})), ErrorCode::invalid_model);
  TfliteBuilder outside;
  const int g = outside.tensor("g", {1});
  outside.op(Builtin::NEG, {7}, {g});
  EXPECT_EQ(code_of(outside.finish({}, {g})), ErrorCode::invalid_model);
  TfliteBuilder unwritten;
  const int h = unwritten.tensor("h", {1}), i = unwritten.tensor("i", {1});
  unwritten.op(Builtin::NEG, {h}, {i});
  EXPECT_EQ(code_of(unwritten.finish({}, {i})), ErrorCode::invalid_model);
}

TEST(TfliteHostileModels, AFewBytesDoNotGrowIntoGigabytes) {
  TfliteBuilder range;
  const int from = range.constant<float>("from", {}, {0}),
            to = range.constant<float>("to", {}, {9e8F}), by = range.constant<float>("by", {}, {1}),
            y = range.tensor("y", {});
  range.op(Builtin::RANGE, {from, to, by}, {y});
  EXPECT_EQ(code_of(range.finish({}, {y})), ErrorCode::budget_exceeded);
  // One buffer that every tensor names.
  TfliteBuilder shared;
  const std::int32_t n = 1 << 20;
  const int big =
      shared.constant("big", {n}, std::vector<float>(static_cast<std::size_t>(n), 1.0F));
  std::vector<std::int32_t> all = {big};
  for (int i = 0; i < 300; ++i) all.push_back(shared.alias("copy", {n}));
  const int sum = shared.tensor("sum", {n});
  shared.op(Builtin::ADD_N, all, {sum});
  EXPECT_EQ(code_of(shared.finish({}, {sum})), ErrorCode::budget_exceeded);
}

TEST(TfliteHostileModels, ProductsOfLargeConstantsAreLeftForRunTime) {
  TfliteBuilder model;
  const std::int32_t n = 1 << 12;
  const int dims = model.constant<std::int32_t>("dims", {1}, {n * n}),
            zero = model.constant<float>("zero", {}, {0}), flat = model.tensor("flat", {n * n}),
            to = model.constant<std::int32_t>("to", {2}, {n, n}), a = model.tensor("a", {n, n}),
            b = model.tensor("b", {n, n});
  model.op(Builtin::FILL, {dims, zero}, {flat});
  model.op(Builtin::RESHAPE, {flat, to}, {a});
  model.op(Builtin::BATCH_MATMUL, {a, a}, {b});
  EXPECT_EQ(code_of(model.finish({}, {b})), ErrorCode::ok);
}

}  // namespace
}  // namespace skiff::test
