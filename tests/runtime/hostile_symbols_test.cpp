#include <gtest/gtest.h>

#include <functional>

#include "tests/runtime/hostile_support.h"
#include "tests/support/model_samples.h"
#include "tests/support/skiff_file.h"

// Symbols, expressions and states that no converter writes: refused when the file is loaded.
namespace skiff::test {
namespace {

void expect_refused(const char* what, const std::function<void(fb::ModelT&)>& change,
                    const std::string& name = "sizes") {
  SCOPED_TRACE(what);
  const auto samples = model_samples();
  const auto sample = std::find_if(samples.begin(), samples.end(),
                                   [&](const ModelSample& s) { return s.name == name; });
  ASSERT_NE(sample, samples.end());
  const std::vector<std::byte> file = with_metadata(file_of(*sample), change);
  try {
    Session session(Model::from_bytes(file));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::invalid_model || error.code() == ErrorCode::unsupported)
        << error.what();
  }
}

fb::DimExprT& first(fb::ModelT& model) { return *model.exprs.at(0); }

TEST(HostileSymbols, Bounds) {
  expect_refused("min above max", [](fb::ModelT& m) { m.symbols[0]->min = 99; });
  expect_refused("negative", [](fb::ModelT& m) { m.symbols[0]->min = -1; });
  expect_refused("enormous", [](fb::ModelT& m) { m.symbols[1]->max = std::int64_t{1} << 60; });
  expect_refused("too large a tensor",
                 [](fb::ModelT& m) { m.symbols[1]->max = std::int64_t{1} << 45; });
  expect_refused("multiple of zero", [](fb::ModelT& m) { m.symbols[0]->multiple_of = 0; });
  expect_refused("bounds that are no multiples",
                 [](fb::ModelT& m) { m.symbols[0]->multiple_of = 3; });
  expect_refused("one name twice", [](fb::ModelT& m) { m.symbols[1]->name = m.symbols[0]->name; });
  expect_refused("no symbols", [](fb::ModelT& m) { m.symbols.clear(); });
}

TEST(HostileSymbols, Expressions) {
  using Token = fb::DimToken;
  const Token one(1, fb::DimOp::constant), symbol(0, fb::DimOp::symbol);
  const Token divide(0, fb::DimOp::floor_div), times(0, fb::DimOp::mul);
  const Token zero(0, fb::DimOp::constant);
  expect_refused("none at all", [](fb::ModelT& m) { first(m).postfix.clear(); });
  expect_refused("two results", [&](fb::ModelT& m) { first(m).postfix = {one, symbol}; });
  expect_refused("operator without operands", [&](fb::ModelT& m) { first(m).postfix = {times}; });
  expect_refused("division by zero", [&](fb::ModelT& m) {
    first(m).postfix = {symbol, zero, divide};
  });
  expect_refused("an unknown symbol",
                 [](fb::ModelT& m) { first(m).postfix = {Token(9, fb::DimOp::symbol)}; });
  expect_refused("an unknown operator", [&](fb::ModelT& m) {
    first(m).postfix = {one, one, Token(0, fb::DimOp(77))};
  });
  expect_refused("too long", [&](fb::ModelT& m) {
    first(m).postfix = {one};
    for (int i = 0; i < 100; ++i) {
      first(m).postfix.push_back(one);
      first(m).postfix.push_back(times);
    }
  });
  expect_refused("overflow", [&](fb::ModelT& m) {
    const Token large(std::int64_t{1} << 40, fb::DimOp::constant);
    first(m).postfix = {large, large, times};
  });
  expect_refused("another size than the rules give",
                 [&](fb::ModelT& m) { first(m).postfix = {one}; });
  expect_refused("fewer expressions than are named", [](fb::ModelT& m) { m.exprs.resize(1); });
}

TEST(HostileSymbols, Counts) {
  const auto refused = [](const char* what, const std::function<void(fb::ModelT&)>& change) {
    expect_refused(what, change, "counts");
  };
  const auto add_symbol = [](fb::ModelT& m, std::int64_t symbol) {
    m.exprs.push_back(std::make_unique<fb::DimExprT>());
    m.exprs.back()->postfix = {fb::DimToken(symbol, fb::DimOp::symbol)};
    return -static_cast<std::int64_t>(m.exprs.size());
  };
  refused("set by no node", [](fb::ModelT& m) { m.symbols[0]->node = 1000; });
  refused("set by a node below -1", [](fb::ModelT& m) { m.symbols[0]->node = -2; });
  refused("set by a node that counts nothing", [](fb::ModelT& m) { m.symbols[0]->node = 0; });
  refused("set by an input", [](fb::ModelT& m) { m.symbols[0]->node = -1; });
  refused("two set by one node", [](fb::ModelT& m) { m.symbols[1]->node = m.symbols[0]->node; });
  refused("multiples", [](fb::ModelT& m) { m.symbols[0]->multiple_of = 2; });
  refused("more than the rules give at most", [](fb::ModelT& m) { m.symbols[0]->max = 1000; });
  refused("an input's size", [&](fb::ModelT& m) {
    m.graphs[0]->values[static_cast<std::size_t>(m.graphs[0]->inputs[0])]->dims[0] =
        add_symbol(m, 0);
  });
  refused("a size before it is known", [&](fb::ModelT& m) {
    fb::GraphT& g = *m.graphs[0];
    g.values[static_cast<std::size_t>(g.nodes[0]->outputs[0])]->dims[0] = add_symbol(m, 0);
  });
  refused("golden results of another size", [](fb::ModelT& m) { m.golden[0]->symbols[0] += 1; });
}

TEST(HostileSymbols, StatesAndGoldenSizes) {
  expect_refused("input is no input", [](fb::ModelT& m) { m.states[0]->input = 5; });
  expect_refused("output out of range", [](fb::ModelT& m) { m.states[0]->output = 1000; });
  expect_refused("another shape",
                 [](fb::ModelT& m) { m.states[0]->input = m.graphs[0]->inputs[0]; });
  expect_refused("initial value of no buffer",
                 [](fb::ModelT& m) { m.states[0]->initial_buffer = 50; });
  expect_refused("the same input twice", [](fb::ModelT& m) {
    m.states.push_back(std::make_unique<fb::StatePairT>(*m.states[0]));
  });
  expect_refused("golden sizes missing", [](fb::ModelT& m) { m.golden[0]->symbols.clear(); });
  expect_refused("golden sizes out of bounds", [](fb::ModelT& m) { m.golden[0]->symbols[0] = 77; });
}

}  // namespace
}  // namespace skiff::test
