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

/// `depth` loops of `trips` turns inside of one another, which carry x to y; the innermost also
/// collects x.
void make_loops(M& m, std::size_t depth, std::int64_t trips,
                const std::vector<std::int64_t>& dims) {
  M made;
  for (std::size_t i = 0; i <= depth; ++i) {
    made.graphs.push_back(std::make_unique<fb::GraphT>());
    fb::GraphT& graph = *made.graphs.back();
    for (const auto dtype : {fb::DType::int64, fb::DType::boolean, fb::DType::float32,
                             fb::DType::float32, fb::DType::float32}) {
      graph.values.push_back(std::make_unique<fb::ValueT>());
      graph.values.back()->dtype = dtype;
      if (graph.values.size() > 2) graph.values.back()->dims = dims;
    }
    graph.inputs = {0, 1, 2};
    graph.outputs = i == 0 ? std::vector{3} : std::vector{1, 3};
    graph.nodes.push_back(std::make_unique<fb::NodeT>());
    fb::NodeT& node = *graph.nodes.back();
    node.inputs = {2};
    node.outputs = {3};
    node.op = fb::OpKind::identity;
    if (i == depth) break;
    fb::LoopAttrsT attrs;
    attrs.body = static_cast<std::int32_t>(i) + 1;
    attrs.max_trip_count = trips;
    node.op = fb::OpKind::loop;
    node.inputs = {0, 1, 2};
    node.attrs.Set(std::move(attrs));
  }
  made.graphs.back()->outputs.push_back(2);
  made.graphs[depth - 1]->nodes[0]->outputs.push_back(4);
  auto& collected = made.graphs[depth - 1]->values[4]->dims;
  if (collected.size() < 8) collected.insert(collected.begin(), trips);
  std::swap(m, made);
}

/// y = c ? places : places of what is not zero in x [4]; their number is `given` to the branches or
/// only `taken` from them.
void make_counted_branches(M& m, std::int64_t given, std::int64_t taken) {
  M made;
  made.symbols.push_back(std::make_unique<fb::SymbolT>());
  made.symbols[0]->name = "n";
  made.symbols[0]->min = 0;
  made.symbols[0]->opt = made.symbols[0]->max = 4;
  made.symbols[0]->node = 0;
  made.exprs.push_back(std::make_unique<fb::DimExprT>());
  made.exprs[0]->postfix = {Token(0, kSymbol)};
  for (int i = 0; i < 3; ++i) {
    made.graphs.push_back(std::make_unique<fb::GraphT>());
    fb::GraphT& graph = *made.graphs.back();
    const auto add = [&](fb::DType dtype, std::vector<std::int64_t> dims) {
      graph.values.push_back(std::make_unique<fb::ValueT>());
      graph.values.back()->dtype = dtype;
      graph.values.back()->dims = std::move(dims);
    };
    const auto node = [&](fb::OpKind op, std::vector<std::int32_t> inputs, std::int32_t output) {
      graph.nodes.push_back(std::make_unique<fb::NodeT>());
      graph.nodes.back()->op = op;
      graph.nodes.back()->inputs = std::move(inputs);
      graph.nodes.back()->outputs = {output};
    };
    add(fb::DType::int64, {1, i == 0 ? -1 : given});
    add(fb::DType::int64, {1, taken});
    if (i == 0) {
      add(fb::DType::float32, {4});
      add(fb::DType::boolean, {});
      node(fb::OpKind::non_zero, {2}, 0);
      node(fb::OpKind::if_else, {3, 0}, 1);
      fb::IfAttrsT branches;
      branches.then_graph = 1;
      branches.else_graph = 2;
      graph.nodes.back()->attrs.Set(std::move(branches));
    } else {
      node(fb::OpKind::identity, {0}, 1);
    }
    graph.inputs = i == 0 ? std::vector{2, 3} : std::vector{0};
    graph.outputs = {1};
  }
  std::swap(m, made);
}

void add_variable(M& m, fb::DType dtype, std::vector<std::int64_t> dims, std::int32_t buffer) {
  m.variables.push_back(std::make_unique<fb::VariableT>());
  m.variables.back()->dtype = dtype;
  m.variables.back()->dims = std::move(dims);
  m.variables.back()->initial_buffer = buffer;
}

const std::function<void(M&)> kOfGraphs[] = {
    [](M& m) { add_variable(m, fb::DType::none, {}, -1); },
    [](M& m) { add_variable(m, fb::DType::float32, std::vector<std::int64_t>(9, 1), -1); },
    [](M& m) { add_variable(m, fb::DType::float32, {-1}, -1); },  // perhaps counted by a node
    [](M& m) { add_variable(m, fb::DType::float32, {-1}, 0); },
    [](M& m) {
      add_variable(m, fb::DType::float32, {1 << 30, 1 << 30}, -1);
    },
    [](M& m) { add_variable(m, fb::DType::float32, {2}, 1000); },
    [](M& m) { add_variable(m, fb::DType::float32, {12345}, 0); },
    [](M& m) { m.graphs.push_back(std::make_unique<fb::GraphT>()); },
    [](M& m) { make_counted_branches(m, -1, -1); },
    [](M& m) { make_counted_branches(m, 4, -1); },
    [](M& m) { make_loops(m, 12, 1, {2}); },
    [](M& m) { make_loops(m, 4, 1 << 20, {2}); },
    [](M& m) { make_loops(m, 1, 1, std::vector<std::int64_t>(8, 1)); },
    [](M& m) {  // what is carried is handed on without a node between
      make_loops(m, 1, 1, {2});
      fb::GraphT &outer = *m.graphs[0], &body = *m.graphs[1];
      outer.nodes[0]->inputs = {0, 1, 2, 2};
      body.values.push_back(value_like(*body.values[2]));
      body.inputs.push_back(5);
      body.outputs = {1, 3, 2};
      outer.values[4]->dims = {2};
    },
};

const std::function<void(M&)> kOfTheModel[] = {
    [](M& m) { m.graphs.clear(); },
    [](M& m) { m.required_features = {"time-travel"}; },
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
    [](M& m) {  // where there are several, one for each of another axis
      for (auto& value : m.graphs[0]->values) {
        if (!value->quantization || value->quantization->scale.size() < 2) continue;
        value->quantization->axis = static_cast<std::int32_t>(value->dims.size()) - 1;
        value->quantization->scale.assign(static_cast<std::size_t>(value->dims.back()), 1.0f);
      }
    },
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
    [](M& m) { m.symbols.push_back(std::make_unique<fb::SymbolT>(*m.symbols[0])); },
    [](M& m) {  // where a node sets it, it sets two now
      m.symbols.push_back(std::make_unique<fb::SymbolT>(*m.symbols[0]));
      m.symbols.back()->name += "2";
    },
    [](M& m) {
      while (m.symbols.size() < 100)
        m.symbols.push_back(std::make_unique<fb::SymbolT>(*m.symbols[0]));
    },
    [](M& m) {  // set by a node that does not exist
      m.symbols.push_back(std::make_unique<fb::SymbolT>(*m.symbols[0]));
      m.symbols.back()->name += "3";
      m.symbols.back()->node = 999;
      m.symbols.back()->multiple_of = 1;
    },
    [](M& m) {  // fewer are counted than there must be
      m.golden.clear();
      for (auto& s : m.symbols)
        if (s->node >= 0) s->min = s->opt = s->max;
    },
    [](M& m) {  // the golden case's size is none of these
      if (m.symbols.size() < 2) return;
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

std::unique_ptr<fb::ValueT> value_like(const fb::ValueT& value) {
  auto made = std::make_unique<fb::ValueT>();
  made->dtype = value.dtype;
  made->dims = value.dims;
  return made;
}

void damage_records(std::span<const std::byte> file,
                    const std::function<void(std::span<const std::byte>)>& visit) {
  M model;
  fb::GetModel(file.data() + 128)->UnPackTo(&model);
  const auto change = [&](const std::function<void(M&)>& how) { visit(with_metadata(file, how)); };
  for (const auto& how : kOfTheModel) change(how);
  for (const auto& how : kOfQuantization) change(how);
  for (const auto& how : kOfGraphs) change(how);
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
