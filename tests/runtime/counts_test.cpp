#include <gtest/gtest.h>
#include <skiff/skiff.h>
#include <skiff/skiff_c.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "converters/dynamic/dynamic.h"
#include "converters/ir/counts.h"
#include "converters/writer.h"
#include "tests/support/memory_promise.h"
#include "tests/support/model_samples.h"

// Models whose sizes depend on data: real shapes after each run, the right numbers, no allocation.
namespace skiff::test {
namespace {

const ModelSample& counts_sample() {
  const auto samples = model_samples();
  return *std::find_if(samples.begin(), samples.end(),
                       [](const ModelSample& s) { return std::string(s.name) == "counts"; });
}

std::vector<double> constant(const ir::Graph& graph, const std::string& name) {
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    if (value.name == name && value.constant) return ir::numbers(value);
  }
  ADD_FAILURE() << "no constant " << name;
  return {};
}

/// What the sample computes, from its description.
struct Expected {
  std::vector<std::int64_t> rows;
  double total = 0;
  std::vector<double> shares;

  Expected(const ir::Graph& graph, std::span<const float> x) {
    const double level = constant(graph, "level")[0];
    const std::vector<double> ramp = constant(graph, "ramp"), w = constant(graph, "w");
    std::size_t found = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      bool good = false;
      for (std::size_t j = 0; j < 4; ++j) {
        const double v = static_cast<double>(x[i * 4 + j]);
        if (!(v > level)) continue;
        good = true;
        rows.insert(rows.end(), {static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)});
        total += v * ramp[found++];
      }
      if (good) add_shares(x.subspan(i * 4, 4), w);
    }
  }

  void add_shares(std::span<const float> row, const std::vector<double>& w) {
    double e[3], sum = 0;
    for (std::size_t n = 0; n < 3; ++n) {
      double dot = 0;
      for (std::size_t k = 0; k < 4; ++k) dot += static_cast<double>(row[k]) * w[k * 3 + n];
      sum += e[n] = std::exp(dot);
    }
    for (double v : e) shares.push_back(v / sum);
  }
};

void expect_right(const Session& session, const Expected& expected) {
  const auto found = static_cast<std::int64_t>(expected.rows.size()) / 2;
  const auto kept = static_cast<std::int64_t>(expected.shares.size()) / 3;
  ASSERT_EQ(session.output(0).shape(), (Shape{found, 2}));
  EXPECT_TRUE(std::ranges::equal(session.output(0).values<const std::int64_t>(), expected.rows));
  EXPECT_NEAR(static_cast<double>(session.output(1).values<const float>()[0]), expected.total,
              1e-4);
  ASSERT_EQ(session.output(2).shape(), (Shape{kept, 3}));
  ASSERT_EQ(session.output(3).shape(), (Shape{2, kept, 3}));
  const auto once = session.output(2).values<const float>();
  const auto twice = session.output(3).values<const float>();
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(once[i]), expected.shares[i], 1e-5);
    EXPECT_EQ(twice[i], once[i]);
    EXPECT_EQ(twice[once.size() + i], once[i]);
  }
  // Shares are below 1, as whole numbers 0: one kind of row, however many there are.
  EXPECT_EQ(session.output(4).shape(), (Shape{1, 3}));
  EXPECT_EQ(session.output(5).shape(), (Shape{kept + 1}));
  for (std::int64_t kind : session.output(5).values<const std::int64_t>()) EXPECT_EQ(kind, 0);
}

void fill(const Session& session, std::mt19937& random, float shift) {
  for (float& x : session.input(0).values<float>())
    x = static_cast<float>(random() % 2001) / 1000 - 1 + shift;
}

TEST(Counts, RealShapesAndNumbersForAnyCount) {
  const ir::Graph graph = counts_sample().graph();
  const std::vector<std::byte> file = file_of(counts_sample());
  const Model model = Model::from_bytes(file);
  ASSERT_EQ(model.symbol_count(), 3u);
  EXPECT_TRUE(model.symbol(0).counted);
  EXPECT_EQ(model.symbol(0).max, 24);
  EXPECT_EQ(model.output(0).shape, (Shape{24, 2}));
  Session one(model), two(model, {.threads = 2});
  EXPECT_EQ(one.output(0).shape(), (Shape{24, 2}));
  std::mt19937 random(3);
  for (float shift : {0.0f, 5.0f, -5.0f, 0.3f, -0.6f, -5.0f, -5.0f, 5.0f, -0.2f}) {
    SCOPED_TRACE(shift);
    fill(one, random, shift);
    std::ranges::copy(one.input(0).bytes(), two.input(0).bytes().begin());
    expect_run_allocates_nothing(one);
    ASSERT_TRUE(two.run().ok());
    expect_right(one, Expected(graph, one.input(0).values<const float>()));
    for (std::size_t i = 0; i < one.output_count(); ++i)
      EXPECT_TRUE(std::ranges::equal(one.output(i).bytes(), two.output(i).bytes())) << i;
  }
}

TEST(Counts, PredictedIsUsed) {
  const std::vector<std::byte> file = file_of(counts_sample());
  static_cast<void>(session_as_predicted(file));
}

TEST(Counts, CReportsRealShapes) {
  const std::vector<std::byte> file = file_of(counts_sample());
  skiff_model* model = nullptr;
  skiff_session* session = nullptr;
  ASSERT_EQ(skiff_model_from_bytes(file.data(), file.size(), &model), 0);
  ASSERT_EQ(skiff_session_create(model, nullptr, &session), 0);
  skiff_tensor tensor;
  ASSERT_EQ(skiff_session_run(session), 0);  // of zeros
  ASSERT_EQ(skiff_session_output(session, 0, &tensor), 0);
  EXPECT_TRUE(tensor.shape[0] == 0 || tensor.shape[0] == 24) << tensor.shape[0];
  EXPECT_EQ(tensor.bytes, static_cast<std::size_t>(tensor.shape[0]) * 16);
  skiff_session_free(session);
  skiff_model_free(model);
}

/// The three largest of the numbers above zero, of `size` numbers.
ir::Graph three_largest(std::int64_t size, int assumption) {
  ir::Graph g;
  g.assumption = assumption;
  const ir::ValueId x = g.add_input("x", DType::float32, {size});
  fb::BinaryAttrsT greater;
  greater.function = fb::BinaryFunction::greater;
  const float nothing = 0;
  const ir::ValueId zero = g.add_constant<float>("zero", {}, std::span(&nothing, 1));
  const ir::ValueId high = g.add(fb::OpKind::binary, greater, {x, zero}, "high");
  fb::AxisAttrsT axis;
  const ir::NodeId kept = g.add_node(fb::OpKind::compress, axis, {x, high}, "kept");
  ir::assume_count(g, kept);
  fb::TopKAttrsT top;
  top.k = 3;
  const ir::NodeId best = g.add_node(fb::OpKind::top_k, top, {g.node(kept).outputs[0]}, "best", 2);
  g.outputs = {g.node(best).outputs[0], g.node(kept).outputs[0]};
  return g;
}

std::vector<std::byte> three_largest_file() {
  return convert::write_model(dynamic::generalise(
                                  {{"x", {{-1, "n"}}}}, {}, {{"n", 4, 8, 16, 1}},
                                  [](const dynamic::Sizes& sizes) {
                                    return three_largest(sizes.shapes.at("x")[0], sizes.assumption);
                                  },
                                  [](const ir::Graph&) {}),
                              {});
}

TEST(Counts, WithInputsOfAnySize) {
  const std::vector<std::byte> file = three_largest_file();
  Session session(Model::from_bytes(file));
  for (std::int64_t size : {4, 16, 5, 8}) {
    const Shape before = session.output(1).shape();
    ASSERT_TRUE(session.resize("x", {size}).ok());
    EXPECT_EQ(session.output(1).shape(), (Shape{16})) << "the largest, was " << before[0];
    for (std::int64_t positive = 3; positive <= size; ++positive) {
      for (std::int64_t i = 0; i < size; ++i)
        session.input(0).values<float>()[static_cast<std::size_t>(i)] =
            static_cast<float>(i < positive ? i + 1 : -i);
      expect_run_allocates_nothing(session);
      EXPECT_EQ(session.output(1).shape(), (Shape{positive}));
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(session.output(0).values<const float>()[i],
                  static_cast<float>(positive) - static_cast<float>(i));
    }
  }
}

TEST(Counts, WhatTheRestCannotDoIsSaidAndForgotten) {
  const std::vector<std::byte> file = three_largest_file();
  Session session(Model::from_bytes(file));
  const auto input = session.input(0).values<float>();
  for (int round = 0; round < 3; ++round) {
    std::ranges::fill(input, -1.0f);
    input[0] = input[1] = 1;
    const Status two = session.run();
    EXPECT_EQ(two.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(two.message()).find("'best'"), std::string::npos) << two.message();
    EXPECT_EQ(session.step(session.step_count() - 1).name, "best") << "it can still be asked";
    std::ranges::fill(input, 2.0f);
    ASSERT_TRUE(session.run().ok());
    EXPECT_EQ(session.output(1).shape(), (Shape{8}));
  }
}

}  // namespace
}  // namespace skiff::test
