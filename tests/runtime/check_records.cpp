#include "tests/runtime/check_records.h"

#include "tests/support/skiff_file.h"

namespace skiff::test {
namespace {

using M = fb::ModelT;
using Token = fb::DimToken;
using Postfix = std::vector<fb::DimToken>;

constexpr auto kConstant = fb::DimOp::constant, kSymbol = fb::DimOp::symbol;

fb::QuantizationT& quantization(M& m) {
  auto& q = m.graphs[0]->values[0]->quantization;
  q = std::make_unique<fb::QuantizationT>();
  return *q;
}

/// x -> identity -> y with all extents of both one expression over one symbol.
void make_small(M& m, int rank, std::int64_t max, const Postfix& postfix) {
  M small;
  small.symbols.push_back(std::make_unique<fb::SymbolT>());
  small.symbols[0]->name = "n";
  small.symbols[0]->max = max;
  small.exprs.push_back(std::make_unique<fb::DimExprT>());
  small.exprs[0]->postfix = postfix;
  small.graphs.push_back(std::make_unique<fb::GraphT>());
  fb::GraphT& graph = *small.graphs[0];
  for (const char* name : {"x", "y"}) {
    graph.values.push_back(std::make_unique<fb::ValueT>());
    graph.values.back()->name = name;
    graph.values.back()->dims.assign(static_cast<std::size_t>(rank), -1);
  }
  graph.nodes.push_back(std::make_unique<fb::NodeT>());
  graph.nodes[0]->op = fb::OpKind::identity;
  graph.nodes[0]->inputs = graph.inputs = {0};
  graph.nodes[0]->outputs = graph.outputs = {1};
  std::swap(m, small);
}

const std::function<void(M&)> kOfTheModel[] = {
    [](M& m) { m.graphs.clear(); },
    [](M& m) { m.required_features = {"time-travel"}; },
    [](M& m) { m.variables.push_back(std::make_unique<fb::VariableT>()); },
    [](M& m) { m.plans.push_back(std::make_unique<fb::MemoryPlanT>()); },
    [](M& m) { m.graphs[0]->outputs.clear(); },
    [](M& m) {
      if (!m.buffers.empty()) m.buffers[0]->sha256.pop_back();
    },
    [](M& m) { m.golden[0]->symbols.push_back(1); },
    [](M& m) {
      if (!m.preprocess.empty()) m.preprocess[0]->mean.pop_back();
    },
    [](M& m) {
      if (m.postprocess) m.postprocess->anchors = {1, 2, 3};
    },
};

const std::function<void(M&)> kOfQuantization[] = {
    [](M& m) { quantization(m).block_size = -1; },
    [](M& m) {
      quantization(m).scale = {1, 2};
      m.graphs[0]->values[0]->quantization->axis = 9;
    },
    [](M& m) { quantization(m).scale.resize(1000); },
    [](M& m) {
      quantization(m).zero_point = {1, 2, 3};
    },
};

const std::function<void(M&)> kOfStates[] = {
    [](M& m) { m.states.push_back(std::make_unique<fb::StatePairT>(*m.states[0])); },
    [](M& m) {
      for (int i = 0; i < 9; ++i)
        m.states.push_back(std::make_unique<fb::StatePairT>(*m.states[0]));
    },
};

const std::function<void(M&)> kOfSymbols[] = {
    [](M& m) { m.symbols[0]->name.clear(); },
    [](M& m) { m.symbols[1]->name = m.symbols[0]->name; },
    [](M& m) {
      while (m.symbols.size() < 100)
        m.symbols.push_back(std::make_unique<fb::SymbolT>(*m.symbols[0]));
    },
    [](M& m) {  // the golden case's size is none of these
      m.symbols[1]->multiple_of = 4;
      m.symbols[1]->min = m.symbols[1]->opt = 4;
      m.golden[0]->symbols[1] = 6;
    },
};

/// Expressions for the first of a model with symbols.
std::vector<Postfix> bad_expressions() {
  const Token one(1, kConstant), zero(0, kConstant), symbol(0, kSymbol);
  const Token add(0, fb::DimOp::add), times(0, fb::DimOp::mul), divide(0, fb::DimOp::floor_div);
  const Token large(std::int64_t{1} << 40, kConstant), huge(std::int64_t{1} << 50, kConstant);
  Postfix too_long = {one}, deep(40, one);
  for (int i = 0; i < 100; ++i) too_long.insert(too_long.end(), {one, times});
  deep.resize(60, times);
  return {{},
          {one, symbol},
          {times},
          {one, one, Token(0, fb::DimOp(77))},
          {symbol, zero, divide},
          {Token(9, kSymbol)},
          {huge},
          {large, large, times},
          {large, large, add, Token(70, kConstant), times},
          too_long,
          deep};
}

}  // namespace

void damage_records(std::span<const std::byte> file,
                    const std::function<void(std::span<const std::byte>)>& visit) {
  M model;
  fb::GetModel(file.data() + 128)->UnPackTo(&model);
  const auto change = [&](const std::function<void(M&)>& how) { visit(with_metadata(file, how)); };
  for (const auto& how : kOfTheModel) change(how);
  for (const auto& how : kOfQuantization) change(how);
  if (!model.states.empty())
    for (const auto& how : kOfStates) change(how);
  if (model.symbols.empty()) return;
  for (const auto& how : kOfSymbols) change(how);
  for (const Postfix& postfix : bad_expressions())
    change([&](M& m) { m.exprs[0]->postfix = postfix; });
  const std::int64_t many = std::int64_t{1} << 45;
  const Token symbol(0, kSymbol), minus(0, fb::DimOp::sub);
  change([&](M& m) { make_small(m, 1, 4, {symbol, Token(3, kConstant), minus}); });
  change([&](M& m) { make_small(m, 3, many, {Token(many, kConstant), symbol, minus}); });
}

}  // namespace skiff::test
