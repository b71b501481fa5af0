#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>

#include "converters/convert.h"
#include "tests/converters/onnx_builder.h"
#include "tests/platform/temporary_folder.h"

// Nested graphs whose values grow with the inputs (--dyn). Expected numbers are computed here, in
// plain loops.
namespace skiff::test {
namespace {

constexpr int kInt64 = 7, kBoolean = 9;
constexpr std::int64_t kMost = 5;

std::vector<std::byte> converted(const OnnxBuilder& model, std::int64_t max_turns = 0) {
  const platform::TemporaryFolder folder;
  const std::vector<std::byte> bytes = model.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  convert::ConvertOptions options;
  options.dynamic = {{"N", 1, 2, kMost, 0}};
  options.import.max_turns = max_turns;
  options.golden = "auto";
  return convert::convert_file(folder.write("model.onnx", text), options);
}

/// Fills the first input, of any shape, with a ramp.
std::vector<float> fill(Session& session) {
  const auto x = session.input("x").values<float>();
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i % 7) - 3 + 0.5f * static_cast<float>(i % 2);
  return {x.begin(), x.end()};
}

std::vector<float> get(const Session& session, const char* name) {
  const auto y = session.output(name).values<const float>();
  return {y.begin(), y.end()};
}

void run_at(Session& session, const Shape& shape) {
  SCOPED_TRACE(shape[0]);
  ASSERT_TRUE(session.resize("x", shape).ok());
}

/// y = c ? x w + the row's number : -x; the numbers are a constant that grows with N.
OnnxBuilder branches() {
  OnnxBuilder yes, no, model;
  yes.node("Shape", {"x"}, {"shape"}).node("Gather", {"shape", "zero"}, {"rows"});
  yes.node("Range", {"zero", "rows", "one"}, {"ramp"});
  yes.node("Cast", {"ramp"}, {"numbers"}).attr("to", std::int64_t{1});
  yes.node("Unsqueeze", {"numbers", "axes"}, {"column"}).node("Mul", {"x", "w"}, {"p"});
  yes.node("Add", {"p", "column"}, {"q"}).output("q");
  no.node("Neg", {"x"}, {"n"}).output("n");
  model.input("x", {-1, 3}).input("c", {}, kBoolean).floats("w", {3}, {2, 3, 4});
  model.integers("zeros", {0}).integers("ones", {1}).integers("axes", {1});
  model.node("Squeeze", {"zeros"}, {"zero"}).node("Squeeze", {"ones"}, {"one"});
  model.node("If", {"c"}, {"y"}).attr("then_branch", yes.graph());
  model.attr("else_branch", no.graph()).output("y");
  return model;
}

TEST(ConvertNested, BranchesOfAnySize) {
  const std::vector<std::byte> file = converted(branches());
  const Model model = Model::from_bytes(file);
  Session session(model);
  EXPECT_EQ(Session::predict(model).total, session.memory().total);
  for (std::int64_t n : {kMost, std::int64_t{1}, std::int64_t{3}})
    for (bool choice : {true, false}) {
      run_at(session, {n, 3});
      std::vector<float> expected = fill(session);
      session.input("c").bytes()[0] = std::byte{choice};
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] = choice
                          ? expected[i] * static_cast<float>(2 + i % 3) + static_cast<float>(i / 3)
                          : -expected[i];
      ASSERT_TRUE(session.run().ok());
      EXPECT_EQ(session.output("y").shape(), (Shape{n, 3}));
      EXPECT_EQ(get(session, "y"), expected);
    }
}

/// s = x; s = s / 2 + 1 while the sum of s is below 1.75 n.
OnnxBuilder loop() {
  OnnxBuilder body, model;
  body.input("i", {}, kInt64).input("go", {}, kBoolean).input("s", {-1, 1});
  body.node("Mul", {"s", "half"}, {"h"}).node("Add", {"h", "one"}, {"next"});
  body.node("ReduceMean", {"next"}, {"mean"}).attr("keepdims", std::int64_t{0});
  body.node("Less", {"mean", "limit"}, {"low"}).output("low").output("next");
  model.input("x", {-1, 1}).floats("half", {}, {0.5f}).floats("one", {}, {1});
  model.floats("limit", {}, {1.75f}).output("y");
  model.node("Loop", {"", "", "x"}, {"y"}).attr("body", body.graph());
  return model;
}

TEST(ConvertNested, ALoopCarriesWhatGrows) {
  const std::vector<std::byte> file = converted(loop(), 40);
  Session session(Model::from_bytes(file));
  for (std::int64_t n : {std::int64_t{2}, kMost, std::int64_t{1}}) {
    run_at(session, {n, 1});
    std::vector<float> expected = fill(session);
    float mean = 0;
    do {
      mean = 0;
      for (float& s : expected) mean += (s = s * 0.5f + 1) / static_cast<float>(n);
    } while (mean < 1.75f);
    ASSERT_TRUE(session.run().ok());
    EXPECT_EQ(get(session, "y"), expected);
  }
}

/// Sums of x [N, 1100] along its rows, from the last column to the first.
TEST(ConvertNested, AScanOverAFixedAxis) {
  constexpr std::int64_t kTurns = 1100;
  OnnxBuilder body, model;
  body.input("s", {-1}).input("column", {-1});
  body.node("Add", {"s", "column"}, {"next"}).node("Identity", {"next"}, {"copy"});
  body.output("next").output("copy");
  model.input("x", {-1, kTurns}).floats("zero", {}, {0}).output("end").output("sums");
  model.integers("first", {0}).integers("axis", {1});
  model.node("Gather", {"x", "first"}, {"column0"}).attr("axis", std::int64_t{1});
  model.node("Squeeze", {"column0", "axis"}, {"flat"}).node("Mul", {"flat", "zero"}, {"start"});
  model.node("Scan", {"start", "x"}, {"end", "sums"}).attr("body", body.graph());
  model.attr("num_scan_inputs", std::int64_t{1}).attr("scan_input_axes", {1});
  model.attr("scan_output_axes", {1}).attr("scan_input_directions", {1});
  model.attr("scan_output_directions", {1});
  const std::vector<std::byte> file = converted(model);
  Session session(Model::from_bytes(file));
  for (std::int64_t n : {std::int64_t{3}, std::int64_t{1}, kMost}) {
    run_at(session, {n, kTurns});
    std::vector<float> sums = fill(session), end;
    for (auto row = sums.begin(); row != sums.end(); row += kTurns) {
      for (auto x = row + kTurns - 1; x != row; --x) x[-1] += x[0];
      end.push_back(*row);
    }
    ASSERT_TRUE(session.run().ok());
    EXPECT_EQ(get(session, "sums"), sums);
    EXPECT_EQ(get(session, "end"), end);
  }
}

TEST(ConvertNested, WhatANodeCountsStaysOutside) {
  OnnxBuilder yes, no, model;
  yes.node("Identity", {"places"}, {"p"}).output("p");
  no.node("Neg", {"places"}, {"q"}).output("q");
  model.input("x", {-1, 3}).input("c", {}, kBoolean).output("y");
  model.node("NonZero", {"x"}, {"places"});
  model.node("If", {"c"}, {"y"}).attr("then_branch", yes.graph());
  model.attr("else_branch", no.graph());
  try {
    converted(model);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string_view(error.what()).find("depends on data"), std::string_view::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace skiff::test
