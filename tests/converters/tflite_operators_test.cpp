#include <gtest/gtest.h>

#include <cmath>

#include "tests/converters/tflite_builder.h"

// Elementwise, reducing, indexing and recurrent operators: attributes arrive where they belong.
namespace skiff::test {
namespace {

using tflite::Builtin;
using tflite::TensorType;
using Ints = std::vector<std::int32_t>;
using Numbers = std::vector<double>;

TEST(TfliteOperators, FusedActivationsStandBehindTheirOperator) {
  TfliteBuilder model;
  const int a = model.constant<float>("a", {3}, {-3, 0.25F, 5}),
            b = model.constant<float>("b", {1}, {1}), y = model.tensor("y", {3});
  model.op(Builtin::SUB, {a, b}, {y},
           tflite::CreateSub(model.tables(), tflite::Activation::relu_n1_to_1));
  EXPECT_EQ(computed(model, y), (Numbers{-1, -0.75, 1}));
}

TEST(TfliteOperators, DivisionsRoundAsTheyShould) {
  const auto divided = [](Builtin builtin) {
    TfliteBuilder model;
    const int a = model.constant<std::int32_t>("a", {4}, {7, -7, 7, -7}),
              b = model.constant<std::int32_t>("b", {4}, {2, 2, -2, -2}),
              y = model.tensor("y", {4}, TensorType::int32);
    model.op(builtin, {a, b}, {y});
    return computed(model, y);
  };
  EXPECT_EQ(divided(Builtin::FLOOR_DIV), (Numbers{3, -4, -4, 3}));
  EXPECT_EQ(divided(Builtin::FLOOR_MOD), (Numbers{1, 1, -1, -1}));
  EXPECT_EQ(divided(Builtin::DIV), (Numbers{3, -3, -3, 3}));
}

TEST(TfliteOperators, ReductionsSortTheirAxes) {
  TfliteBuilder model;
  const int x = model.constant("x", {2, 2, 2}, counting(8)),
            axes = model.constant<std::int32_t>("axes", {3}, {-1, 0, 2}), y = model.tensor("y", {});
  model.op(Builtin::MEAN, {x, axes}, {y}, tflite::CreateReducer(model.tables(), true));
  const ir::Value value = computed_value(model, y);
  EXPECT_EQ(value.shape, (Shape{1, 2, 1}));
  EXPECT_EQ(ir::numbers(value), (Numbers{3.5, 5.5}));
}

TEST(TfliteOperators, ArgMaxGivesTheDeclaredIndexType) {
  for (const TensorType type : {TensorType::int32, TensorType::int64}) {
    TfliteBuilder model;
    const int x = model.constant<float>("x", {2, 3}, {1, 9, 2, 8, 3, 4}),
              axis = model.constant<std::int32_t>("axis", {}, {-1}),
              y = model.tensor("y", {}, type);
    model.op(Builtin::ARG_MAX, {x, axis}, {y});
    const ir::Value value = computed_value(model, y);
    EXPECT_EQ(value.shape, Shape{2});
    EXPECT_EQ(ir::numbers(value), (Numbers{1, 0}));
  }
}

TEST(TfliteOperators, TopKIndicesAreNarrowed) {
  TfliteBuilder model;
  const int x = model.constant<float>("x", {4}, {3, 9, 1, 7}),
            k = model.constant<std::int32_t>("k", {}, {2}), v = model.tensor("v", {2}),
            i = model.tensor("i", {2}, TensorType::int32);
  model.op(Builtin::TOPK_V2, {x, k}, {v, i});
  EXPECT_EQ(computed(model, i), (Numbers{1, 3}));
}

TEST(TfliteOperators, SoftmaxIsScaledByBeta) {
  TfliteBuilder model;
  const int x = model.constant<float>("x", {1, 2}, {0, 1}), y = model.tensor("y", {1, 2});
  model.op(Builtin::SOFTMAX, {x}, {y}, tflite::CreateSoftmax(model.tables(), 2));
  EXPECT_NEAR(computed(model, y)[1], 1 / (1 + std::exp(-2.0)), 1e-6);
}

TEST(TfliteOperators, CumsumExclusiveAndReversed) {
  TfliteBuilder model;
  const int x = model.constant("x", {4}, counting(4)),
            axis = model.constant<std::int32_t>("axis", {}, {0}), y = model.tensor("y", {4});
  model.op(Builtin::CUMSUM, {x, axis}, {y}, tflite::CreateCumsum(model.tables(), true, true));
  EXPECT_EQ(computed(model, y), (Numbers{9, 7, 4, 0}));
}

TEST(TfliteOperators, NormsHaveTheFormatsConstants) {
  TfliteBuilder l2;
  const int x = l2.constant<float>("x", {1, 2}, {3, 4}), y = l2.tensor("y", {1, 2});
  l2.op(Builtin::L2_NORMALIZATION, {x}, {y});
  EXPECT_NEAR(computed(l2, y)[1], 0.8, 1e-6);
  TfliteBuilder lrn;
  const int a = lrn.constant<float>("x", {1, 1, 1, 3}, {1, 2, 3}),
            b = lrn.tensor("y", {1, 1, 1, 3});
  lrn.op(Builtin::LOCAL_RESPONSE_NORMALIZATION, {a}, {b},
         tflite::CreateLocalResponseNormalization(lrn.tables(), 1, 2, 0.5F, 0.75F));
  const Numbers numbers = computed(lrn, b);
  EXPECT_NEAR(numbers[0], 1 / std::pow(2 + 0.5 * (1 + 4), 0.75), 1e-6);
  EXPECT_NEAR(numbers[1], 2 / std::pow(2 + 0.5 * (1 + 4 + 9), 0.75), 1e-6);
}

TEST(TfliteOperators, SelectOfRankOneChoosesRows) {
  TfliteBuilder model;
  const int c = model.constant<std::uint8_t>("c", {2}, {1, 0}),
            a = model.constant("a", {2, 2}, counting(4)),
            b = model.constant("b", {2, 2}, counting(4, 10)), y = model.tensor("y", {2, 2});
  model.op(Builtin::SELECT, {c, a, b}, {y});
  EXPECT_EQ(computed(model, y), (Numbers{1, 2, 30, 40}));
}

TEST(TfliteOperators, OneHotAndScatter) {
  TfliteBuilder one_hot;
  const int i = one_hot.constant<std::int32_t>("i", {2}, {2, 0}),
            depth = one_hot.constant<std::int32_t>("d", {}, {3}),
            on = one_hot.constant<float>("on", {}, {5}),
            off = one_hot.constant<float>("off", {}, {1}), y = one_hot.tensor("y", {2, 3});
  one_hot.op(Builtin::ONE_HOT, {i, depth, on, off}, {y},
             tflite::CreateOneHot(one_hot.tables(), -1));
  EXPECT_EQ(computed(one_hot, y), (Numbers{1, 1, 5, 5, 1, 1}));
  TfliteBuilder scatter;
  const int at = scatter.constant<std::int32_t>("at", {3, 1}, {1, 3, 1}),
            u = scatter.constant<float>("u", {3}, {1, 2, 4}),
            shape = scatter.constant<std::int32_t>("shape", {1}, {5}), z = scatter.tensor("z", {5});
  scatter.op(Builtin::SCATTER_ND, {at, u, shape}, {z});
  EXPECT_EQ(computed(scatter, z), (Numbers{0, 5, 0, 2, 0}));
}

TEST(TfliteOperators, RowsAreSummedBySegment) {
  TfliteBuilder model;
  const int x = model.constant("x", {4, 2}, counting(8)),
            segments = model.constant<std::int32_t>("segments", {4}, {0, 0, 2, 2}),
            y = model.tensor("y", {3, 2});
  model.op(Builtin::SEGMENT_SUM, {x, segments}, {y});
  EXPECT_EQ(computed(model, y), (Numbers{4, 6, 0, 0, 12, 14}));
  TfliteBuilder mixed;
  const int z = mixed.constant("z", {2, 1}, counting(2)),
            falling = mixed.constant<std::int32_t>("falling", {2}, {1, 0}),
            sums = mixed.tensor("sums", {2, 1});
  mixed.op(Builtin::SEGMENT_SUM, {z, falling}, {sums});
  EXPECT_THROW(computed(mixed, sums), Error);
}

TEST(TfliteOperators, GatherWithBatches) {
  TfliteBuilder model;
  const int x = model.constant("x", {2, 3}, counting(6)),
            i = model.constant<std::int32_t>("i", {2, 2}, {2, 0, 1, 1}),
            y = model.tensor("y", {2, 2});
  model.op(Builtin::GATHER, {x, i}, {y}, tflite::CreateGather(model.tables(), 1, 1));
  EXPECT_EQ(computed(model, y), (Numbers{3, 1, 5, 5}));
}

TEST(TfliteOperators, RangesAndFillsAreComputed) {
  TfliteBuilder range;
  const int from = range.constant<std::int32_t>("from", {}, {10}),
            to = range.constant<std::int32_t>("to", {}, {3}),
            by = range.constant<std::int32_t>("by", {}, {-3}),
            y = range.tensor("y", {3}, TensorType::int32);
  range.op(Builtin::RANGE, {from, to, by}, {y});
  EXPECT_EQ(computed(range, y), (Numbers{10, 7, 4}));
  TfliteBuilder fill;
  const int dims = fill.constant<std::int32_t>("dims", {2}, {1, 2}),
            value = fill.constant<float>("v", {}, {7}), z = fill.tensor("z", {1, 2});
  fill.op(Builtin::FILL, {dims, value}, {z});
  EXPECT_EQ(computed(fill, z), (Numbers{7, 7}));
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// One layer step by step; weights of gate g (input, forget, cell, output) at w[g], r[g].
Numbers lstm(const std::vector<float>& x, const std::vector<std::vector<float>>& w,
             const std::vector<std::vector<float>>& r, const std::vector<std::vector<float>>& b,
             std::size_t steps, std::size_t inputs, std::size_t hidden) {
  Numbers h(hidden, 0.0), c(hidden, 0.0), y;
  for (std::size_t t = 0; t < steps; ++t) {
    const Numbers last = h;
    for (std::size_t j = 0; j < hidden; ++j) {
      Numbers gate(4);
      for (std::size_t g = 0; g < 4; ++g) {
        gate[g] = b[g][j];
        for (std::size_t i = 0; i < inputs; ++i)
          gate[g] += static_cast<double>(w[g][j * inputs + i]) * x[t * inputs + i];
        for (std::size_t i = 0; i < hidden; ++i) gate[g] += r[g][j * hidden + i] * last[i];
      }
      c[j] = sigmoid(gate[1]) * c[j] + sigmoid(gate[0]) * std::tanh(gate[2]);
      h[j] = sigmoid(gate[3]) * std::tanh(c[j]);
    }
    y.insert(y.end(), h.begin(), h.end());
  }
  return y;
}

TEST(TfliteOperators, LstmGatesFindTheirPlaces) {
  const std::size_t steps = 3, inputs = 2, hidden = 3;
  TfliteBuilder model;
  const auto x = noise(steps * inputs, 1);
  std::vector<std::vector<float>> w, r, b;
  Ints operands = {model.constant("x", {1, 3, 2}, x)};
  for (unsigned g = 0; g < 4; ++g) w.push_back(noise(hidden * inputs, 10 + g));
  for (unsigned g = 0; g < 4; ++g) r.push_back(noise(hidden * hidden, 20 + g));
  for (unsigned g = 0; g < 4; ++g) b.push_back(noise(hidden, 30 + g));
  for (const auto& gate : w) operands.push_back(model.constant("w", {3, 2}, gate));
  for (const auto& gate : r) operands.push_back(model.constant("r", {3, 3}, gate));
  operands.insert(operands.end(), {-1, -1, -1});
  for (const auto& gate : b) operands.push_back(model.constant("b", {3}, gate));
  operands.insert(operands.end(),
                  {-1, -1, model.variable("h", {1, 3}), model.variable("c", {1, 3})});
  operands.insert(operands.end(), {-1, -1, -1, -1});
  const int y = model.tensor("y", {1, 3, 3});
  model.op(Builtin::UNIDIRECTIONAL_SEQUENCE_LSTM, operands, {y},
           tflite::CreateSequenceLstm(model.tables(), tflite::Activation::tanh, 10));
  const Numbers expected = lstm(x, w, r, b, steps, inputs, hidden);
  const ir::Value value = computed_value(model, y);
  EXPECT_EQ(value.shape, (Shape{1, 3, 3}));
  const Numbers actual = ir::numbers(value);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-6) << i;
}

/// Of known operands results of any size are computed at once.
TEST(TfliteOperators, ResultsThatAreCounted) {
  TfliteBuilder where;
  const int x = where.constant<float>("x", {2, 2}, {0, 3, -1, 0}),
            places = where.tensor("places", {}, TensorType::int64);
  where.op(Builtin::WHERE, {x}, {places});
  const ir::Value found = computed_value(where, places);
  EXPECT_EQ(found.shape, (Shape{2, 2}));
  EXPECT_EQ(ir::numbers(found), (Numbers{0, 1, 1, 0}));

  TfliteBuilder unique;
  const int y = unique.constant<float>("y", {5}, {4, 1, 4, 9, 1}),
            kinds = unique.tensor("kinds", {}),
            which = unique.tensor("which", {5}, TensorType::int32);
  unique.op(Builtin::UNIQUE, {y}, {kinds, which});
  EXPECT_EQ(computed(unique, kinds), (Numbers{4, 1, 9}));
  EXPECT_EQ(computed(unique, which), (Numbers{0, 1, 0, 2, 1}));
}

TEST(TfliteOperators, NonMaxSuppressionFillsUpWithZeros) {
  for (const bool fifth : {false, true}) {
    TfliteBuilder model;
    const int boxes = model.constant<float>("boxes", {4, 4},
                                            {0, 0, 1, 1, 0, 0, 1, 0.9F, 5, 5, 6, 6, 8, 8, 9, 9}),
              scores = model.constant<float>("scores", {4}, {0.5F, 0.9F, 0.6F, 0.1F}),
              most = model.constant<std::int32_t>("most", {}, {5}),
              overlap = model.constant<float>("overlap", {}, {0.5F}),
              score = model.constant<float>("score", {}, {0.2F}),
              sigma = model.constant<float>("sigma", {}, {0}),
              picked = model.tensor("picked", {5}, TensorType::int32),
              kept = model.tensor("kept", {5}),
              count = model.tensor("count", {}, TensorType::int32);
    if (fifth)
      model.op(Builtin::NON_MAX_SUPPRESSION_V5, {boxes, scores, most, overlap, score, sigma},
               {picked, kept, count});
    else
      model.op(Builtin::NON_MAX_SUPPRESSION_V4, {boxes, scores, most, overlap, score},
               {picked, count});
    EXPECT_EQ(computed(model, picked), (Numbers{1, 2, 0, 0, 0}));
    EXPECT_EQ(computed(model, count), (Numbers{2}));
    if (fifth) {
      const Numbers expected = {static_cast<double>(0.9F), static_cast<double>(0.6F), 0, 0, 0};
      EXPECT_EQ(computed(model, kept), expected);
    }
  }
}

}  // namespace
}  // namespace skiff::test
