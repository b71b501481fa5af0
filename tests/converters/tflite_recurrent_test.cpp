#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "converters/ir/evaluate.h"
#include "tests/converters/tflite_builder.h"

// Recurrent operators, run after run, against their equations step by step in double precision.
namespace skiff::test {
namespace {

using tflite::Activation;
using tflite::Builtin;
using Ints = std::vector<std::int32_t>;
using Floats = std::vector<float>;
using Numbers = std::vector<double>;
using Bytes = std::vector<std::byte>;

/// One output per run, by output; what variables hold goes from run to run.
std::vector<std::vector<Numbers>> runs(const ir::Graph& graph, const std::vector<Floats>& xs) {
  std::vector<std::vector<Numbers>> results;
  ir::Graph now = graph;
  start_variables(now);
  for (const Floats& x : xs) {
    ir::Graph run = now;
    run.value(run.inputs.at(0)).constant = ir::bytes_of(std::span<const float>(x));
    for (ir::NodeId node : run.order()) EXPECT_TRUE(ir::evaluate(run, node));
    auto& outputs = results.emplace_back();
    for (ir::ValueId id : run.visible_outputs()) outputs.push_back(ir::numbers(run.value(id)));
    const std::size_t inputs = run.visible_inputs().size(), shown = outputs.size();
    for (std::size_t i = 0; i < run.variables.size(); ++i)
      now.value(now.inputs[inputs + i]).constant = run.value(run.outputs[shown + i]).constant;
  }
  return results;
}

void expect_near(const Numbers& actual, const Numbers& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5) << i;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::relu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::tanh:
      return std::tanh(x);
    default:
      return x;
  }
}

double cut(double x, double limit) { return limit > 0 ? std::clamp(x, -limit, limit) : x; }

/// weights [n, x.size()] times x.
Numbers times(const Floats& weights, const Numbers& x) {
  Numbers y(weights.size() / x.size(), 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) y[i / x.size()] += weights[i] * x[i % x.size()];
  return y;
}

constexpr std::int32_t kBatch = 2, kInputs = 3, kHidden = 4, kProjected = 2;

struct Variant {
  const char* name = "Plain";
  std::int32_t steps = 3;
  bool peephole = false, projects = false, normalised = false, coupled = false;
  bool time_major = false;
  float cell_clip = 0, proj_clip = 0;
  Activation activation = Activation::tanh;
  bool diagonal = false;  ///< recurrent weights are vectors
  bool counts = false;    ///< cells grow by 1 a step in one run and fall by 1 in the next

  std::int32_t outputs() const { return projects ? kProjected : kHidden; }
};

Floats noise_of(std::int32_t n, unsigned seed, float scale = 1) {
  Floats numbers = noise(static_cast<std::size_t>(n), seed);
  for (float& number : numbers) number *= scale;
  return numbers;
}

/// An LSTM by its equations: Hochreiter and Schmidhuber 1997; peepholes: Gers 2000; projection: Sak
/// 2014; normalisation: Ba 2016.
class Cell {
 public:
  Cell(const Variant& v, unsigned seed) : v_(v) {
    for (unsigned g = 0; g < 4; ++g) {
      w[g] = noise_of(kHidden * kInputs, seed + g);
      r[g] = noise_of(kHidden * v.outputs(), seed + 10 + g, v.counts ? 0.1F : 1);
      p[g] = noise_of(kHidden, seed + 20 + g);
      b[g] = noise_of(kHidden, seed + 30 + g);
      if (v.diagonal) r[g] = noise_of(kHidden, seed + 10 + g);
      if (v.counts) {
        w[g].assign(w[g].size(), g == 2 ? 3.0F : 0.0F);
        b[g].assign(b[g].size(), g == 2 ? 0.0F : 8.0F);
      }
      s[g] = noise_of(kHidden, seed + 40 + g);
    }
    projection = noise_of(kProjected * kHidden, seed + 50);
    projection_bias = noise_of(kProjected, seed + 51);
  }

  void step(const Numbers& x, Numbers& h, Numbers& c) const {
    Numbers forget = sums(1, x, h, c), input = sums(0, x, h, c), fresh = sums(2, x, h, c);
    for (std::size_t j = 0; j < c.size(); ++j) {
      const double f = sigmoid(forget[j]), i = v_.coupled ? 1 - f : sigmoid(input[j]);
      c[j] = cut(f * c[j] + i * activate(v_.activation, fresh[j]), v_.cell_clip);
    }
    Numbers output = sums(3, x, h, c);
    for (std::size_t j = 0; j < c.size(); ++j)
      output[j] = sigmoid(output[j]) * activate(v_.activation, c[j]);
    h = output;
    if (!v_.projects) return;
    h = times(projection, output);
    for (std::size_t j = 0; j < h.size(); ++j) h[j] = cut(h[j] + projection_bias[j], v_.proj_clip);
  }

  /// The operands from the weights for x to the bias of the projection.
  Ints operands(TfliteBuilder& model) const {
    Ints list;
    const auto add = [&](bool there, const Ints& shape, const Floats& numbers) {
      list.push_back(there ? model.constant("weights", shape, numbers) : -1);
    };
    for (int g = 0; g < 4; ++g) add(g > 0 || !v_.coupled, {kHidden, kInputs}, w[g]);
    for (int g = 0; g < 4; ++g)
      add(g > 0 || !v_.coupled, v_.diagonal ? Ints{kHidden} : Ints{kHidden, v_.outputs()}, r[g]);
    for (int g : {0, 1, 3}) add(v_.peephole && (g > 0 || !v_.coupled), {kHidden}, p[g]);
    for (int g = 0; g < 4; ++g) add(g > 0 || !v_.coupled, {kHidden}, b[g]);
    add(v_.projects, {kProjected, kHidden}, projection);
    add(v_.projects, {kProjected}, projection_bias);
    return list;
  }
  Ints scales(TfliteBuilder& model) const {
    Ints list;
    for (int g = 0; g < 4; ++g) {
      const bool there = v_.normalised && (g > 0 || !v_.coupled);
      list.push_back(there ? model.constant("scale", {kHidden}, s[g]) : -1);
    }
    return list;
  }

 private:
  Variant v_;
  Floats w[4], r[4], p[4], b[4], s[4], projection, projection_bias;

  Numbers sums(int g, const Numbers& x, const Numbers& h, const Numbers& c) const {
    Numbers z = times(w[g], x);
    Numbers from_h = v_.diagonal ? h : times(r[g], h);
    for (std::size_t j = 0; v_.diagonal && j < z.size(); ++j) from_h[j] *= r[g][j];
    double mean = 0, square = 0;
    for (std::size_t j = 0; j < z.size(); ++j) {
      z[j] += from_h[j] + (v_.peephole && g != 2 ? p[g][j] * c[j] : 0);
      if (!v_.normalised) z[j] += b[g][j];
      mean += z[j] / static_cast<double>(z.size());
    }
    if (!v_.normalised) return z;
    for (double sum : z) square += (sum - mean) * (sum - mean) / static_cast<double>(z.size());
    for (std::size_t j = 0; j < z.size(); ++j)
      z[j] = (z[j] - mean) / std::sqrt(square + 1e-8) * s[g][j] + b[g][j];
    return z;
  }
};

using StepOf = std::function<Numbers(const Numbers& x, std::size_t batch)>;

/// y [B, T, n] (or [T, B, n]) of a layer that takes one item's step after the other.
Numbers layer(const Floats& x, std::int32_t steps, bool time_major, bool backwards,
              const StepOf& step) {
  Numbers y;
  for (std::int32_t i = 0; i < steps; ++i)
    for (std::int32_t batch = 0; batch < kBatch; ++batch) {
      const std::int32_t t = backwards ? steps - 1 - i : i;
      const std::int32_t row = time_major ? t * kBatch + batch : batch * steps + t;
      const auto first = x.begin() + row * kInputs;
      const Numbers part = step(Numbers(first, first + kInputs), static_cast<std::size_t>(batch));
      y.resize(static_cast<std::size_t>(steps * kBatch) * part.size());
      std::copy(part.begin(), part.end(),
                y.begin() + row * static_cast<std::ptrdiff_t>(part.size()));
    }
  return y;
}

/// A cell with states that last.
StepOf lasting(const Cell& cell, std::int32_t outputs) {
  std::vector<Numbers> h(kBatch, Numbers(static_cast<std::size_t>(outputs), 0.0)),
      c(kBatch, Numbers(kHidden, 0.0));
  return [cell, h, c](const Numbers& x, std::size_t batch) mutable {
    cell.step(x, h[batch], c[batch]);
    return h[batch];
  };
}

Ints shape_of(const Variant& v, std::int32_t last) {
  return v.time_major ? Ints{v.steps, kBatch, last} : Ints{kBatch, v.steps, last};
}

std::vector<Floats> inputs_of(std::int32_t steps) {
  std::vector<Floats> xs;
  for (unsigned run = 0; run < 3; ++run) xs.push_back(noise_of(steps * kBatch * kInputs, 7 + run));
  return xs;
}

class TfliteLstm : public ::testing::TestWithParam<Variant> {};

TEST_P(TfliteLstm, FollowsItsEquationsFromRunToRun) {
  const Variant& v = GetParam();
  const Cell cell(v, 100);
  TfliteBuilder model;
  const int x = model.tensor("x", shape_of(v, kInputs));
  Ints operands = {x};
  for (int operand : cell.operands(model)) operands.push_back(operand);
  operands.push_back(model.variable("h", {kBatch, v.outputs()}));
  operands.push_back(model.variable("c", {kBatch, kHidden}));
  for (int operand : cell.scales(model)) operands.push_back(operand);
  const int y = model.tensor("y", shape_of(v, v.outputs()));
  model.op(Builtin::UNIDIRECTIONAL_SEQUENCE_LSTM, operands, {y},
           tflite::CreateSequenceLstm(model.tables(), v.activation, v.cell_clip, v.proj_clip,
                                      v.time_major));
  const ir::Graph graph = convert::import_tflite_bytes(model.finish({x}, {y}), {}).graph;
  EXPECT_EQ(graph.variables.size(), 2u);
  auto xs = inputs_of(v.steps);
  for (std::size_t run = 0; v.counts && run < xs.size(); ++run)
    xs[run].assign(xs[run].size(), run % 2 == 0 ? 1.0F : -1.0F);
  const auto actual = runs(graph, xs);
  const StepOf step = lasting(cell, v.outputs());
  for (std::size_t run = 0; run < xs.size(); ++run) {
    SCOPED_TRACE(run);
    expect_near(actual[run].at(0), layer(xs[run], v.steps, v.time_major, false, step));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Variants, TfliteLstm,
    ::testing::Values(Variant{}, Variant{.name = "TimeFirst", .time_major = true},
                      Variant{.name = "Relu", .activation = Activation::relu},
                      Variant{.name = "Linear", .activation = Activation::none},
                      Variant{.name = "Peephole", .peephole = true},
                      Variant{.name = "Coupled", .coupled = true},
                      Variant{.name = "CoupledPeephole", .peephole = true, .coupled = true},
                      Variant{.name = "HighClip", .steps = 12, .cell_clip = 9.5F, .counts = true},
                      Variant{
                          .name = "HighClipLong", .steps = 40, .cell_clip = 9.5F, .counts = true},
                      Variant{.name = "LowClip", .peephole = true, .cell_clip = 0.25F},
                      Variant{.name = "Projected", .projects = true, .proj_clip = 0.5F},
                      Variant{.name = "Diagonal", .diagonal = true},
                      Variant{.name = "Normalised", .normalised = true},
                      Variant{.name = "Everything",
                              .peephole = true,
                              .projects = true,
                              .normalised = true,
                              .coupled = true,
                              .cell_clip = 0.5F,
                              .proj_clip = 0.75F},
                      Variant{.name = "EverythingLong",
                              .steps = 40,
                              .peephole = true,
                              .projects = true,
                              .normalised = true,
                              .time_major = true,
                              .cell_clip = 0.5F}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(TfliteRecurrent, LstmTakesOneStepARun) {
  const Variant v{.steps = 1, .peephole = true, .projects = true, .normalised = true};
  const Cell cell(v, 200);
  TfliteBuilder model;
  const int x = model.tensor("x", {kBatch, kInputs});
  Ints operands = {x};
  for (int operand : cell.operands(model)) operands.push_back(operand);
  operands.push_back(model.variable("h", {kBatch, v.outputs()}));
  operands.push_back(model.variable("c", {kBatch, kHidden}));
  for (int operand : cell.scales(model)) operands.push_back(operand);
  const int y = model.tensor("y", {kBatch, v.outputs()});
  model.op(Builtin::LSTM, operands, {y}, tflite::CreateLstm(model.tables(), Activation::tanh));
  const auto xs = inputs_of(1);
  const auto actual = runs(convert::import_tflite_bytes(model.finish({x}, {y}), {}).graph, xs);
  const StepOf step = lasting(cell, v.outputs());
  for (std::size_t run = 0; run < xs.size(); ++run)
    expect_near(actual[run].at(0), layer(xs[run], 1, false, false, step));
}

/// What the rnn operator can say is one node, however the cells are bounded.
TEST(TfliteRecurrent, AnLstmIsOneNode) {
  for (const float most : {0.0F, 0.25F, 10.0F}) {
    const Variant v{.steps = 40, .peephole = true, .cell_clip = most};
    TfliteBuilder model;
    const int x = model.tensor("x", shape_of(v, kInputs));
    Ints operands = {x};
    for (int operand : Cell(v, 100).operands(model)) operands.push_back(operand);
    operands.push_back(model.variable("h", {kBatch, kHidden}));
    operands.push_back(model.variable("c", {kBatch, kHidden}));
    const int y = model.tensor("y", shape_of(v, kHidden));
    model.op(Builtin::UNIDIRECTIONAL_SEQUENCE_LSTM, operands, {y},
             tflite::CreateSequenceLstm(model.tables(), v.activation, most, 0, false));
    const ir::Graph graph = convert::import_tflite_bytes(model.finish({x}, {y}), {}).graph;
    std::size_t layers = 0;
    for (ir::NodeId id : graph.order()) {
      const ir::Node& node = graph.node(id);
      EXPECT_NE(node.op, fb::OpKind::scan);
      if (node.op != fb::OpKind::rnn) continue;
      ++layers;
      EXPECT_EQ(node.attrs.get<fb::RnnAttrs>().cell_clip(), most);
    }
    EXPECT_EQ(layers, 1u);
  }
}

/// The form with its states as operands and results; gates stand in another order.
TEST(TfliteRecurrent, BasicLstm) {
  const Floats x = noise_of(kInputs, 1), h = noise_of(kHidden, 2), c = noise_of(kHidden, 3),
               w = noise_of(4 * kHidden * (kInputs + kHidden), 4), b = noise_of(4 * kHidden, 5);
  TfliteBuilder model;
  const Ints operands = {model.tensor("x", {1, kInputs}), model.constant("h", {1, kHidden}, h),
                         model.constant("w", {4 * kHidden, kInputs + kHidden}, w),
                         model.constant("b", {4 * kHidden}, b),
                         model.constant("c", {1, kHidden}, c)};
  Ints outputs;
  for (const char* name : {"new_h", "new_c"}) outputs.push_back(model.tensor(name, {1, kHidden}));
  outputs.push_back(model.tensor("joined", {1, kInputs + kHidden}));
  outputs.push_back(model.tensor("sums", {1, 4 * kHidden}));
  model.op(Builtin::LSTM, operands, outputs,
           tflite::CreateLstm(model.tables(), Activation::tanh, 0, 0, tflite::LstmKernel::basic));
  const Bytes file = model.finish({operands[0]}, {outputs[0], outputs[1]});
  const auto actual = runs(convert::import_tflite_bytes(file, {}).graph, {x}).at(0);
  Numbers joined(x.begin(), x.end());
  joined.insert(joined.end(), h.begin(), h.end());
  const Numbers sums = times(w, joined);
  Numbers next_h, next_c;
  for (std::size_t j = 0; j < kHidden; ++j) {
    const auto sum = [&](std::size_t gate) {
      return sums[gate * kHidden + j] + b[gate * kHidden + j];
    };
    next_c.push_back(sigmoid(sum(0)) * std::tanh(sum(1)) + sigmoid(sum(2)) * c[j]);
    next_h.push_back(sigmoid(sum(3)) * std::tanh(next_c.back()));
  }
  expect_near(actual.at(0), next_h);
  expect_near(actual.at(1), next_c);
}

TEST(TfliteRecurrent, LstmInBothDirections) {
  const Variant v{.steps = 4, .peephole = true};
  const Cell forwards(v, 300), backwards(v, 400);
  TfliteBuilder model;
  const int x = model.tensor("x", shape_of(v, kInputs));
  Ints operands = {x};
  for (const Cell* cell : {&forwards, &backwards})
    for (int operand : cell->operands(model)) operands.push_back(operand);
  for (const char* name : {"fh", "fc", "bh", "bc"})
    operands.push_back(model.variable(name, {kBatch, kHidden}));
  operands.insert(operands.end(), 9, -1);
  const int f = model.tensor("f", shape_of(v, kHidden)),
            b = model.tensor("b", shape_of(v, kHidden));
  model.op(Builtin::BIDIRECTIONAL_SEQUENCE_LSTM, operands, {f, b},
           tflite::CreateBothWaysLstm(model.tables(), Activation::tanh, 0, 0, false, false));
  const auto xs = inputs_of(v.steps);
  const auto actual = runs(convert::import_tflite_bytes(model.finish({x}, {f, b}), {}).graph, xs);
  const StepOf step_f = lasting(forwards, kHidden), step_b = lasting(backwards, kHidden);
  for (std::size_t run = 0; run < xs.size(); ++run) {
    expect_near(actual[run].at(0), layer(xs[run], v.steps, false, false, step_f));
    expect_near(actual[run].at(1), layer(xs[run], v.steps, false, true, step_b));
  }
}

/// h = activation(w x + r h + b)
struct Simple {
  Floats w, r, b;
  Activation activation;
  Simple(unsigned seed, Activation given)
      : w(noise_of(kHidden * kInputs, seed)),
        r(noise_of(kHidden * kHidden, seed + 1, 0.5F)),
        b(noise_of(kHidden, seed + 2)),
        activation(given) {}

  Ints operands(TfliteBuilder& model) const {
    return {model.constant("w", {kHidden, kInputs}, w), model.constant("r", {kHidden, kHidden}, r),
            model.constant("b", {kHidden}, b), model.variable("h", {kBatch, kHidden})};
  }
  StepOf step() const {
    std::vector<Numbers> h(kBatch, Numbers(kHidden, 0.0));
    return [self = *this, h](const Numbers& x, std::size_t batch) mutable {
      const Numbers from_x = times(self.w, x), from_h = times(self.r, h[batch]);
      for (std::size_t j = 0; j < kHidden; ++j)
        h[batch][j] = activate(self.activation, from_x[j] + from_h[j] + self.b[j]);
      return h[batch];
    };
  }
};

TEST(TfliteRecurrent, LayersWithoutGates) {
  for (const Activation activation : {Activation::tanh, Activation::relu, Activation::relu6}) {
    const Simple layer_of(500, activation);
    for (const std::int32_t steps : {1, 5, 40}) {
      SCOPED_TRACE(steps);
      const bool single = steps == 1;
      TfliteBuilder model;
      const int x =
          model.tensor("x", single ? Ints{kBatch, kInputs} : Ints{kBatch, steps, kInputs});
      Ints operands = {x};
      for (int operand : layer_of.operands(model)) operands.push_back(operand);
      const int y =
          model.tensor("y", single ? Ints{kBatch, kHidden} : Ints{kBatch, steps, kHidden});
      if (single)
        model.op(Builtin::RNN, operands, {y}, tflite::CreateRnn(model.tables(), activation));
      else
        model.op(Builtin::UNIDIRECTIONAL_SEQUENCE_RNN, operands, {y},
                 tflite::CreateSequenceRnn(model.tables(), false, activation));
      const auto xs = inputs_of(steps);
      const auto actual = runs(convert::import_tflite_bytes(model.finish({x}, {y}), {}).graph, xs);
      const StepOf step = layer_of.step();
      for (std::size_t run = 0; run < xs.size(); ++run)
        expect_near(actual[run].at(0), layer(xs[run], steps, false, false, step));
    }
  }
}

/// Outputs side by side.
TEST(TfliteRecurrent, LayersWithoutGatesInBothDirections) {
  const Simple forwards(600, Activation::tanh), backwards(700, Activation::tanh);
  const std::int32_t steps = 3;
  TfliteBuilder model;
  const int x = model.tensor("x", {steps, kBatch, kInputs});
  Ints operands = {x};
  for (const Simple* one : {&forwards, &backwards})
    for (int operand : one->operands(model)) operands.push_back(operand);
  operands.insert(operands.end(), 3, -1);
  const int y = model.tensor("y", {steps, kBatch, 2 * kHidden});
  model.op(Builtin::BIDIRECTIONAL_SEQUENCE_RNN, operands, {y},
           tflite::CreateBothWaysRnn(model.tables(), true, Activation::tanh, true));
  const auto xs = inputs_of(steps);
  const auto actual = runs(convert::import_tflite_bytes(model.finish({x}, {y}), {}).graph, xs);
  const StepOf step_f = forwards.step(), step_b = backwards.step();
  for (std::size_t run = 0; run < xs.size(); ++run) {
    const Numbers f = layer(xs[run], steps, true, false, step_f),
                  b = layer(xs[run], steps, true, true, step_b);
    Numbers both;
    for (std::size_t row = 0; row < static_cast<std::size_t>(steps * kBatch); ++row)
      for (const Numbers* part : {&f, &b})
        both.insert(both.end(), part->begin() + static_cast<std::ptrdiff_t>(row * kHidden),
                    part->begin() + static_cast<std::ptrdiff_t>((row + 1) * kHidden));
    expect_near(actual[run].at(0), both);
  }
}

/// An auxiliary operand has weights of its own, or is what the layer reads backwards.
TEST(TfliteRecurrent, WhatStandsBesideTheOperand) {
  const Simple forwards(900, Activation::tanh), backwards(950, Activation::tanh);
  const Floats weights = noise_of(kHidden * kInputs, 990);
  const std::int32_t steps = 3;
  const auto xs = inputs_of(steps);
  const Floats beside = noise_of(steps * kBatch * kInputs, 991);
  for (const bool weighed : {true, false}) {
    SCOPED_TRACE(weighed);
    TfliteBuilder model;
    const int x = model.tensor("x", {steps, kBatch, kInputs});
    Ints operands = {x};
    for (const Simple* one : {&forwards, &backwards})
      for (int operand : one->operands(model)) operands.push_back(operand);
    if (weighed) {
      const int w = model.constant("aux_w", {kHidden, kInputs}, weights);
      operands.insert(operands.end(), {x, w, w});
    } else {
      const int other = model.constant("aux", {steps, kBatch, kInputs}, beside);
      operands.insert(operands.end(), {other, -1, -1});
    }
    const int f = model.tensor("f", {steps, kBatch, kHidden}),
              b = model.tensor("b", {steps, kBatch, kHidden});
    model.op(Builtin::BIDIRECTIONAL_SEQUENCE_RNN, operands, {f, b},
             tflite::CreateBothWaysRnn(model.tables(), true, Activation::tanh, false));
    const Bytes file = model.finish({x}, {f, b});
    const auto actual = runs(convert::import_tflite_bytes(file, {}).graph, xs).at(0);
    Simple sums[] = {forwards, backwards};
    for (Simple& one : sums)
      for (std::size_t i = 0; weighed && i < weights.size(); ++i) one.w[i] += weights[i];
    expect_near(actual.at(0), layer(xs[0], steps, true, false, sums[0].step()));
    expect_near(actual.at(1), layer(weighed ? xs[0] : beside, steps, true, true, sums[1].step()));
  }
}

/// Each filter weighs its last results.
TEST(TfliteRecurrent, FiltersOverTime) {
  constexpr std::int32_t kFilters = 4, kMemory = 3, kRank = 2;
  const Floats features = noise_of(kFilters * kInputs, 1), time = noise_of(kFilters * kMemory, 2),
               bias = noise_of(kFilters / kRank, 3);
  TfliteBuilder model;
  const int x = model.tensor("x", {kBatch, kInputs}),
            y = model.tensor("y", {kBatch, kFilters / kRank});
  model.op(Builtin::SVDF,
           {x, model.constant("features", {kFilters, kInputs}, features),
            model.constant("time", {kFilters, kMemory}, time),
            model.constant("bias", {kFilters / kRank}, bias),
            model.variable("state", {kBatch, kFilters * kMemory})},
           {y}, tflite::CreateSvdf(model.tables(), kRank, Activation::relu));
  const std::vector<Floats> xs = inputs_of(1);
  const auto actual = runs(convert::import_tflite_bytes(model.finish({x}, {y}), {}).graph, xs);
  for (std::size_t run = 0; run < xs.size(); ++run) {
    Numbers expected;
    for (std::int32_t batch = 0; batch < kBatch; ++batch)
      for (std::int32_t unit = 0; unit < kFilters / kRank; ++unit) {
        double sum = bias[static_cast<std::size_t>(unit)];
        for (std::int32_t f = unit * kRank; f < (unit + 1) * kRank; ++f)
          for (std::int32_t ago = 0; ago < kMemory && ago <= static_cast<std::int32_t>(run); ++ago)
            for (std::int32_t i = 0; i < kInputs; ++i)
              sum +=
                  static_cast<double>(time[static_cast<std::size_t>((f + 1) * kMemory - 1 - ago)]) *
                  features[static_cast<std::size_t>(f * kInputs + i)] *
                  xs[run - static_cast<std::size_t>(ago)]
                    [static_cast<std::size_t>(batch * kInputs + i)];
        expected.push_back(std::max(sum, 0.0));
      }
    expect_near(actual[run].at(0), expected);
  }
}

/// The batch decides how large a state is, whatever its tensor was exported with.
TEST(TfliteRecurrent, StatesFollowTheBatch) {
  const Simple one(800, Activation::tanh);
  TfliteBuilder model;
  const int x = model.tensor("x", {1, 5, kInputs});
  Ints operands = {x};
  for (int operand : one.operands(model)) operands.push_back(operand);
  const int y = model.tensor("y", {1, 5, kHidden});
  model.op(Builtin::UNIDIRECTIONAL_SEQUENCE_RNN, operands, {y},
           tflite::CreateSequenceRnn(model.tables(), false, Activation::tanh));
  const convert::ImportOptions wide{.shapes = {{"x", Shape{7, 5, kInputs}}}};
  const ir::Graph graph = convert::import_tflite_bytes(model.finish({x}, {y}), wide).graph;
  ASSERT_EQ(graph.variables.size(), 1u);
  EXPECT_EQ(graph.value(graph.inputs.back()).shape, (Shape{7, kHidden}));
}

}  // namespace
}  // namespace skiff::test
