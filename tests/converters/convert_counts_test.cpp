#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <functional>
#include <random>

#include "converters/convert.h"
#include "tests/converters/onnx_builder.h"
#include "tests/converters/tflite_builder.h"
#include "tests/platform/temporary_folder.h"

// Models that count results, from the exporters' file to the numbers of a session.
namespace skiff::test {
namespace {

std::vector<std::byte> converted(const OnnxBuilder& model,
                                 const convert::ConvertOptions& options = {}) {
  const platform::TemporaryFolder folder;
  const std::vector<std::byte> bytes = model.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return convert::convert_file(folder.write("model.onnx", text), options);
}

/// x[x > 0] * arange(n) + zeros(n), as exporters write it: the mask's places twice, the count from
/// the shape of a result.
OnnxBuilder masked_ramp(std::int64_t rows) {
  OnnxBuilder model;
  model.input("x", {rows, 4}).output("y").output("places");
  model.floats("zero", {}, {0}).integers("one", {1}).integers("start", {0}).integers("step", {1});
  model.node("Greater", {"x", "zero"}, {"mask"}).node("NonZero", {"mask"}, {"first"});
  model.node("Greater", {"x", "zero"}, {"mask2"}).node("NonZero", {"mask2"}, {"second"});
  model.node("Transpose", {"first"}, {"rows"}).attr("perm", {1, 0});
  model.node("Transpose", {"second"}, {"places"}).attr("perm", {1, 0});
  model.node("GatherND", {"x", "rows"}, {"picked"});
  model.node("Shape", {"second"}, {"shape"}).node("Gather", {"shape", "one"}, {"n"});
  model.node("Squeeze", {"n"}, {"count"}).node("Squeeze", {"start"}, {"from"});
  model.node("Squeeze", {"step"}, {"by"}).node("Range", {"from", "count", "by"}, {"whole"});
  model.node("Cast", {"whole"}, {"ramp"}).attr("to", std::int64_t{1});
  model.node("Mul", {"picked", "ramp"}, {"product"});
  model.node("ConstantOfShape", {"n"}, {"zeros"});
  model.node("Add", {"product", "zeros"}, {"y"});
  return model;
}

void expect_masked_ramp(Session& session, std::mt19937& random, float shift) {
  std::vector<float> expected;
  for (float& x : session.input(0).values<float>()) {
    x = static_cast<float>(random() % 2001) / 1000 - 1 + shift;
    if (x > 0) expected.push_back(x * static_cast<float>(expected.size()));
  }
  const Status status = session.run();
  ASSERT_TRUE(status.ok()) << status.message();
  const auto count = static_cast<std::int64_t>(expected.size());
  EXPECT_EQ(session.output("y").shape(), (Shape{count}));
  EXPECT_EQ(session.output("places").shape(), (Shape{count, 2}));
  EXPECT_TRUE(std::ranges::equal(session.output("y").values<const float>(), expected));
}

TEST(ConvertCounts, WhatExportersWrite) {
  convert::ConvertOptions options;
  options.golden = "auto";
  const std::vector<std::byte> file = converted(masked_ramp(6), options);
  const Model model = Model::from_bytes(file);
  EXPECT_EQ(model.symbol_count(), 1u) << "the same places are found once";
  Session session(model);
  std::mt19937 random(1);
  for (float shift : {0.0f, 3.0f, -3.0f, 0.5f, -0.7f}) expect_masked_ramp(session, random, shift);
}

TEST(ConvertCounts, WithInputsOfAnySize) {
  convert::ConvertOptions options;
  options.dynamic = {{"N", 1, 4, 9, 0}};
  const std::vector<std::byte> file = converted(masked_ramp(-1), options);
  Session session(Model::from_bytes(file));
  std::mt19937 random(1);
  for (std::int64_t rows : {1, 9, 4, 2}) {
    ASSERT_TRUE(session.resize("x", {rows, 4}).ok());
    for (float shift : {0.0f, 3.0f, -3.0f}) expect_masked_ramp(session, random, shift);
  }
}

/// The five largest numbers above zero, or fewer: a size that stops growing.
TEST(ConvertCounts, SizesThatStopGrowing) {
  OnnxBuilder model;
  model.input("x", {12}).output("best").output("places");
  model.floats("zero", {}, {0}).integers("five", {5});
  model.node("Greater", {"x", "zero"}, {"mask"}).node("Compress", {"x", "mask"}, {"kept"});
  model.attr("axis", std::int64_t{0});
  model.node("Shape", {"kept"}, {"count"}).node("Min", {"count", "five"}, {"k"});
  model.node("TopK", {"kept", "k"}, {"best", "places"});
  const std::vector<std::byte> file = converted(model);
  Session session(Model::from_bytes(file));
  for (std::size_t good = 0; good <= 12; ++good) {
    const auto x = session.input(0).values<float>();
    for (std::size_t i = 0; i < 12; ++i) x[i] = i < good ? static_cast<float>(i + 1) : -1.0f;
    const Status status = session.run();
    ASSERT_TRUE(status.ok()) << status.message();
    const auto best = session.output("best").values<const float>();
    ASSERT_EQ(best.size(), std::min<std::size_t>(5, good));
    for (std::size_t i = 0; i < best.size(); ++i) EXPECT_EQ(best[i], static_cast<float>(good - i));
  }
}

/// ONNX: the k smallest of each column, in order though none is asked for.
TEST(ConvertCounts, AsManySmallestAsTheRunAsksFor) {
  OnnxBuilder model;
  model.input("x", {4, 2}).input("k", {1}, 7).integers("three", {3}).output("y").output("places");
  model.node("Min", {"k", "three"}, {"least"}).node("TopK", {"x", "least"}, {"y", "places"});
  model.attr("axis", std::int64_t{0}).attr("largest", std::int64_t{0});
  model.attr("sorted", std::int64_t{0});
  const std::vector<std::byte> file = converted(model);
  Session session(Model::from_bytes(file));
  EXPECT_EQ(session.output("y").shape(), (Shape{3, 2})) << "as many as can be";
  std::ranges::copy(std::vector<float>{4, -1, 2, 5, 3, 0, 1, 7},
                    session.input("x").values<float>().begin());
  const std::vector<float> values = {1, -1, 2, 0, 3, 5};
  const std::vector<std::int64_t> places = {3, 0, 1, 2, 2, 1};
  for (const std::int64_t k : {2, 3, 0, 9, -1, 1}) {
    SCOPED_TRACE(k);
    session.input("k").values<std::int64_t>()[0] = k;
    const Status status = session.run();
    if (k < 0) {
      EXPECT_EQ(status.code(), ErrorCode::bad_value);
      continue;
    }
    ASSERT_TRUE(status.ok()) << status.message();
    const std::int64_t count = std::min<std::int64_t>(k, 3);
    EXPECT_EQ(session.output("y").shape(), (Shape{count, 2}));
    const auto first = [&](const auto& all) {
      return std::span(all).first(static_cast<std::size_t>(2 * count));
    };
    EXPECT_TRUE(std::ranges::equal(session.output("y").values<const float>(), first(values)));
    EXPECT_TRUE(
        std::ranges::equal(session.output("places").values<const std::int64_t>(), first(places)));
  }
}

/// TFLite: the k largest of each row, k an input, of which at most `most` are wanted (0: all).
std::vector<std::byte> largest(std::int32_t most) {
  TfliteBuilder model;
  const int x = model.tensor("x", {2, 5}), given = model.tensor("k", {}, tflite::TensorType::int32),
            k = most == 0 ? given : model.tensor("least", {}, tflite::TensorType::int32),
            y = model.tensor("y", {2, 5}),
            places = model.tensor("places", {2, 5}, tflite::TensorType::int32);
  if (most != 0)
    model.op(tflite::Builtin::MINIMUM, {given, model.constant<std::int32_t>("most", {}, {most})},
             {k});
  model.op(tflite::Builtin::TOPK_V2, {x, k}, {y, places});
  const platform::TemporaryFolder folder;
  const std::vector<std::byte> bytes = model.finish({x, given}, {y, places});
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return convert::convert_file(folder.write("model.tflite", text), {});
}

TEST(ConvertCounts, AsManyLargestAsTheRunAsksFor) {
  const std::vector<float> x = {3, 9, -1, 7, 5, 0.5f, -2, 8, 4, 6};
  for (const std::int32_t most : {0, 3}) {
    const std::vector<std::byte> file = largest(most);
    Session session(Model::from_bytes(file));
    EXPECT_EQ(session.output("y").shape(), (Shape{2, most == 0 ? 5 : most})) << "as many as can be";
    std::ranges::copy(x, session.input("x").values<float>().begin());
    for (const std::int32_t k : {2, 0, 6, 5, -1, 1, 3}) {
      SCOPED_TRACE(k);
      session.input("k").values<std::int32_t>()[0] = k;
      const Status status = session.run();
      if (k < 0 || (k > 5 && most == 0)) {
        EXPECT_EQ(status.code(), ErrorCode::bad_value);
        continue;
      }
      ASSERT_TRUE(status.ok()) << status.message();
      const std::size_t count = static_cast<std::size_t>(most == 0 ? k : std::min(k, most));
      EXPECT_EQ(session.output("y").shape(), (Shape{2, static_cast<std::int64_t>(count)}));
      for (std::size_t row = 0; row < 2; ++row) {
        std::vector<float> sorted(x.begin() + static_cast<std::ptrdiff_t>(5 * row),
                                  x.begin() + static_cast<std::ptrdiff_t>(5 * row + 5));
        std::ranges::sort(sorted, std::greater<>());
        for (std::size_t i = 0; i < count; ++i) {
          EXPECT_EQ(session.output("y").values<const float>()[row * count + i], sorted[i]);
          const auto place = static_cast<std::size_t>(
              session.output("places").values<const std::int32_t>()[row * count + i]);
          EXPECT_EQ(x[5 * row + place], sorted[i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace skiff::test
