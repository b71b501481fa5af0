#include "tests/runtime/check_corpus.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "tests/runtime/check_records.h"
#include "tests/support/skiff_file.h"

namespace skiff::test {
namespace {

using Bytes = std::vector<std::byte>;
using Visit = std::function<void(std::span<const std::byte>)>;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

void damage_header(const Bytes& file, const Visit& visit) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{127}, std::size_t{200}, file.size() - 1})
    visit(std::span(file).first(size));
  Bytes changed = file;
  for (std::size_t bit = 0; bit < 8 * 128; ++bit) {
    changed[bit / 8] ^= std::byte{1} << (bit % 8);
    visit(changed);
    seal(changed);
    visit(changed);
    changed = file;
  }
  for (std::size_t byte = 128; byte < file.size(); byte += 97) {  // the digest no longer fits
    changed[byte] ^= std::byte{1};
    visit(changed);
    changed[byte] = file[byte];
  }
  changed.back() ^= std::byte{1};
  visit(changed);
}

void put(Bytes& file, const NumberField& field, const void* number) {
  std::memcpy(file.data() + field.offset, number, field.bytes);
}

template <typename T>
void damage_real(Bytes& file, const NumberField& field, const Visit& visit) {
  using Limits = std::numeric_limits<T>;
  for (const T number : {T{-1}, T{0}, Limits::max(), Limits::infinity(), Limits::quiet_NaN()}) {
    put(file, field, &number);
    seal(file);
    visit(file);
  }
}

/// Flags and enumerations at every small number, others at the ends of their range.
void damage_integer(Bytes& file, const NumberField& field, const Visit& visit) {
  const int bits = static_cast<int>(8 * field.bytes);
  std::int64_t old = 0;
  std::memcpy(&old, file.data() + field.offset, field.bytes);
  std::vector<std::int64_t> numbers = {0,
                                       1,
                                       -1,
                                       -2,
                                       old - 1,
                                       old + 1,
                                       2 * old,
                                       1 << 20,
                                       kMost / 2,
                                       kMost >> (64 - bits),
                                       1 << 28,
                                       std::int64_t{1} << 31,
                                       std::int64_t{1} << 44};
  if (field.bytes <= 2)
    for (std::int64_t n = 2; n < 60; ++n) numbers.push_back(n);
  for (const std::int64_t number : numbers) {
    put(file, field, &number);
    seal(file);
    visit(file);
  }
}

void damage_numbers(const Bytes& whole, const Visit& visit) {
  Bytes file = whole;
  for (const NumberField& field : numbers_of(whole)) {
    if (field.real && field.bytes == 4) damage_real<float>(file, field, visit);
    if (field.real && field.bytes == 8) damage_real<double>(file, field, visit);
    if (!field.real) damage_integer(file, field, visit);
    file = whole;
  }
}

/// Vectors that are shorter, or begin four bytes later, so that 8-byte elements lie askew.
void damage_vectors(const Bytes& whole, const Visit& visit) {
  Bytes file = whole;
  const auto word = [&](std::size_t at) {
    std::uint32_t number = 0;
    std::memcpy(&number, whole.data() + at, sizeof number);
    return number;
  };
  const auto visit_with = [&](std::size_t at, std::uint32_t number) {
    std::memcpy(file.data() + at, &number, sizeof number);
    seal(file);
    visit(file);
    std::memcpy(file.data() + at, whole.data() + at, sizeof number);
  };
  for (const std::size_t at : lengths_of(whole)) {
    for (std::uint32_t shorter = 0; shorter < word(at); shorter += std::max(1u, word(at) - 1))
      visit_with(at, shorter);
    for (std::size_t from = 128; from < at; from += 4)
      if (from + word(from) == at) visit_with(from, word(from) + 4);
  }
}

/// Changes that touch one of `count` things, each in a file of its own.
template <typename Change>
void damage_each(const Bytes& file, std::size_t count, const Visit& visit, Change change) {
  for (std::size_t i = 0; i < count; ++i)
    visit(with_metadata(file, [&](fb::ModelT& model) { change(model, i); }));
}

/// The nodes of graph `g`, and what it takes and gives.
void damage_nodes(const Bytes& file, const fb::GraphT& graph, std::size_t g, const Visit& visit) {
  const std::size_t count = graph.nodes.size();
  using M = fb::ModelT;
  const auto node = [g](M& m, std::size_t i) -> fb::NodeT& { return *m.graphs[g]->nodes[i]; };
  damage_each(file, count, visit, [&](M& m, std::size_t i) {
    if (!node(m, i).inputs.empty()) node(m, i).inputs.pop_back();
  });
  damage_each(file, count, visit, [&](M& m, std::size_t i) { node(m, i).inputs.resize(12, -1); });
  damage_each(file, count, visit, [&](M& m, std::size_t i) { node(m, i).outputs.pop_back(); });
  damage_each(file, count, visit, [&](M& m, std::size_t i) {
    for (int more = 0; more < 3; ++more) {  // values of their own
      node(m, i).outputs.push_back(static_cast<std::int32_t>(m.graphs[g]->values.size()));
      m.graphs[g]->values.push_back(value_like(*m.graphs[g]->values[0]));
    }
  });
  damage_each(file, count, visit, [&](M& m, std::size_t i) { node(m, i).attrs.Reset(); });
  for (std::size_t operand = 0; operand < 8; ++operand)
    damage_each(file, count, visit, [&](M& m, std::size_t i) {
      if (operand < node(m, i).inputs.size()) node(m, i).inputs[operand] = -1;
    });
  const std::function<void(std::vector<std::int32_t>&)> changes[] = {
      [](auto& ids) { ids.clear(); }, [](auto& ids) { ids.resize(ids.size() + 1, 0); },
      [](auto& ids) {
        if (!ids.empty()) ids.pop_back();
      },
      [](auto& ids) {
        if (!ids.empty()) ids[0] = -1;
      }};
  for (const auto& change : changes) {
    visit(with_metadata(file, [&](M& m) { change(m.graphs[g]->inputs); }));
    visit(with_metadata(file, [&](M& m) { change(m.graphs[g]->outputs); }));
  }
}

/// All operands of a node become inputs of the graph, changed alike.
void read_new_inputs(fb::GraphT& g, std::size_t node,
                     const std::function<void(fb::ValueT&)>& change) {
  for (std::int32_t& operand : g.nodes[node]->inputs) {
    if (operand < 0) continue;
    auto value = value_like(*g.values[static_cast<std::size_t>(operand)]);
    change(*value);
    operand = static_cast<std::int32_t>(g.values.size());
    g.inputs.push_back(operand);
    g.values.push_back(std::move(value));
  }
}

/// Every value with one axis more, one less, none, and with other extents and types; so that the
/// rule of who reads it, not of who writes it, looks first, as a new input of the graph, too.
void damage_values(const Bytes& file, const fb::GraphT& graph, std::size_t place,
                   const Visit& visit) {
  using Dims = std::vector<std::int64_t>;
  const std::function<void(fb::ValueT&)> changes[] = {[](auto& v) { v.dims.push_back(1); },
                                                      [](auto& v) {
                                                        if (!v.dims.empty()) v.dims.pop_back();
                                                      },
                                                      [](auto& v) { v.dims.clear(); },
                                                      [](auto& v) { v.dims = Dims(8, 1); },
                                                      [](auto& v) { v.dims = Dims(9, 1); },
                                                      [](auto& v) {
                                                        if (!v.dims.empty()) v.dims[0] = 5;
                                                      },
                                                      [](auto& v) {
                                                        if (!v.dims.empty()) v.dims.back() = 5;
                                                      },
                                                      [](auto& v) {
                                                        if (!v.dims.empty()) v.dims.back() = 0;
                                                      },
                                                      [](auto& v) {
                                                        if (v.dims.size() > 1) v.dims[1] = 0;
                                                      },
                                                      [](auto& v) {
                                                        if (!v.dims.empty())
                                                          v.dims[0] = std::int64_t{1} << 44;
                                                      },
                                                      [](auto& v) {
                                                        if (v.dims.size() > 1)
                                                          v.dims[1] = std::int64_t{1} << 33;
                                                      },
                                                      [](auto& v) {
                                                        for (auto& dim : v.dims)
                                                          dim = std::int64_t{1} << 20;
                                                      },
                                                      [](auto& v) {
                                                        std::fill(v.dims.begin(), v.dims.end(),
                                                                  std::int64_t{1} << 18);
                                                        if (!v.dims.empty()) v.dims.back() = 0;
                                                      },
                                                      [](auto& v) { v.dtype = fb::DType::boolean; },
                                                      [](auto& v) { v.dtype = fb::DType::float16; },
                                                      [](auto& v) { v.dtype = fb::DType::float64; },
                                                      [](auto& v) { v.dtype = fb::DType::int32; },
                                                      [](auto& v) { v.dtype = fb::DType::int64; },
                                                      [](auto& v) { v.dtype = fb::DType::uint8; }};
  for (const auto& change : changes) {
    damage_each(file, graph.values.size(), visit,
                [&](fb::ModelT& m, std::size_t i) { change(*m.graphs[place]->values[i]); });
    damage_each(file, graph.nodes.size() * 8, visit, [&](fb::ModelT& m, std::size_t i) {
      auto& g = *m.graphs[place];
      auto& inputs = g.nodes[i / 8]->inputs;
      if (i % 8 >= inputs.size() || inputs[i % 8] < 0) return;
      auto& old = *g.values[static_cast<std::size_t>(inputs[i % 8])];
      g.inputs.push_back(static_cast<std::int32_t>(g.values.size()));
      inputs[i % 8] = g.inputs.back();
      g.values.push_back(value_like(old));
      change(*g.values.back());
    });
    damage_each(file, graph.nodes.size(), visit, [&](fb::ModelT& m, std::size_t i) {
      read_new_inputs(*m.graphs[place], i, change);
    });
  }
}

/// The first node of a kind with its operands of one shape, then changed; nothing where none is.
template <typename Change>
void damage_kind(const Bytes& file, fb::OpKind kind, std::vector<std::int64_t> dims,
                 const Visit& visit, Change change) {
  bool found = false;
  const Bytes changed = with_metadata(file, [&](fb::ModelT& m) {
    auto& nodes = m.graphs[0]->nodes;
    for (std::size_t i = 0; i < nodes.size() && !found; ++i) {
      if (nodes[i]->op != kind) continue;
      found = true;
      if (!dims.empty()) read_new_inputs(*m.graphs[0], i, [&](fb::ValueT& v) { v.dims = dims; });
      change(*nodes[i]);
    }
  });
  if (found) visit(changed);
}

/// Attributes and shapes that are wrong only together.
void damage_pairs(const Bytes& file, const Visit& visit) {
  constexpr std::int64_t kLong = std::int64_t{1} << 44, kBlock = std::int64_t{1} << 20;
  using fb::NodeT;
  damage_kind(file, fb::OpKind::reshape, {}, visit,
              [](NodeT& n) { n.attrs.AsShapeAttrs()->shape.resize(9, 1); });
  damage_kind(file, fb::OpKind::rnn, {}, visit,
              [](NodeT& n) { n.attrs.AsRnnAttrs()->activation_alpha.resize(9); });
  damage_kind(file, fb::OpKind::reduce, {}, visit, [](NodeT& n) {
    n.attrs.AsReduceAttrs()->axes = {1, 0};
  });
  damage_kind(file, fb::OpKind::resize, {}, visit, [](NodeT& n) {
    fb::ResizeAttrsT& attrs = *n.attrs.AsResizeAttrs();
    attrs.antialias = true;
    attrs.scales = {1, 1e-6f, 1, 1};
  });
  damage_kind(file, fb::OpKind::arg_reduce, {1, std::int64_t{1} << 33}, visit,
              [](NodeT& n) { n.attrs.AsArgReduceAttrs()->index_type = fb::DType::int32; });
  damage_kind(file, fb::OpKind::depth_to_space, {1, kLong, 1, 0}, visit,
              [](NodeT& n) { n.attrs.AsBlockAttrs()->block_size = kBlock; });
  damage_kind(file, fb::OpKind::space_to_depth, {1, 0, 0, kLong}, visit,
              [](NodeT& n) { n.attrs.AsBlockAttrs()->block_size = kBlock; });
  damage_kind(file, fb::OpKind::concat, {1, kLong, 0, 1}, visit,
              [](NodeT& n) { n.inputs.resize((std::size_t{1} << 19) + 1, n.inputs[0]); });
}

/// The table of a node's attributes is gone, the field that names its type is not.
void damage_attributes(const Bytes& whole, const Visit& visit) {
  const auto* nodes = fb::GetModel(whole.data() + 128)->graphs()->Get(0)->nodes();
  for (const fb::Node* node : *nodes) {
    if (node->attrs() == nullptr) continue;
    Bytes file = whole;
    const auto* table = reinterpret_cast<const std::uint8_t*>(node);
    const auto* entries = table - flatbuffers::ReadScalar<flatbuffers::soffset_t>(table);
    const auto at = reinterpret_cast<const std::byte*>(entries) - whole.data() + fb::Node::VT_ATTRS;
    file[static_cast<std::size_t>(at)] = file[static_cast<std::size_t>(at) + 1] = std::byte{0};
    seal(file);
    visit(file);
  }
}

}  // namespace

void for_each_hostile(const ModelSample& sample, const Visit& visit) {
  const Bytes file = file_of(sample);
  damage_header(file, visit);
  damage_numbers(with_metadata(
                     file, [](fb::ModelT&) {}, true),
                 visit);
  fb::ModelT model;
  fb::GetModel(file.data() + 128)->UnPackTo(&model);
  for (std::size_t i = 0; i < model.graphs.size(); ++i) {
    damage_nodes(file, *model.graphs[i], i, visit);
    damage_values(file, *model.graphs[i], i, visit);
  }
  damage_vectors(file, visit);
  damage_attributes(file, visit);
  damage_pairs(file, visit);
  damage_records(file, visit);
}

}  // namespace skiff::test
