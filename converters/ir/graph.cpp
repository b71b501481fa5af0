#include "converters/ir/graph.h"

#include <algorithm>
#include <queue>

#include "runtime/core/checked.h"

namespace skiff::ir {

ValueId Graph::add_input(std::string input_name, DType dtype, const Shape& shape) {
  const auto id = static_cast<ValueId>(values_.size());
  values_.push_back({.name = std::move(input_name), .dtype = dtype, .shape = shape});
  inputs.push_back(id);
  return id;
}

ValueId Graph::add_constant(std::string constant_name, DType dtype, const Shape& shape,
                            std::vector<std::byte> bytes) {
  const auto expected = checked_bytes(dtype, shape);
  require(expected && static_cast<std::size_t>(*expected) == bytes.size(), ErrorCode::invalid_model,
          "constant '", constant_name, "' of shape ", shape, " (", dtype, ") has ", bytes.size(),
          " bytes");
  const auto id = static_cast<ValueId>(values_.size());
  values_.push_back({.name = std::move(constant_name),
                     .dtype = dtype,
                     .shape = shape,
                     .constant = std::move(bytes)});
  return id;
}

TensorInfo Graph::info(ValueId id) const {
  const Value& v = value(id);
  return {.dtype = v.dtype,
          .shape = v.shape,
          .name = v.name,
          .quantization = nullptr,
          .constant = v.constant.has_value()};
}

TensorInfo Graph::info(ValueId id, ViewStorage& storage) const {
  TensorInfo result = info(id);
  if (const auto& quantization = value(id).quantization) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(fb::Quantization::Pack(builder, &*quantization));
    storage.quantization.push_back(builder.Release());
    result.quantization =
        flatbuffers::GetRoot<fb::Quantization>(storage.quantization.back().data());
  }
  return result;
}

NodeView Graph::view(NodeId id, ViewStorage& storage) const {
  const Node& n = node(id);
  storage.infos.clear();
  storage.inputs.clear();
  storage.quantization.clear();
  storage.infos.reserve(n.inputs.size());
  for (ValueId input : n.inputs) {
    if (input == kAbsent) {
      storage.inputs.push_back(nullptr);
      continue;
    }
    storage.infos.push_back(info(input, storage));
    storage.inputs.push_back(&storage.infos.back());
  }
  view_bodies(n, storage);
  return {.op = n.op,
          .attributes = n.attrs.table(),
          .inputs = storage.inputs,
          .name = n.name,
          .count = n.count,
          .bodies = storage.bodies};
}

void Graph::view_bodies(const Node& n, ViewStorage& storage) const {
  storage.edges.clear();
  storage.edge_list.clear();
  storage.bodies.clear();
  const auto list = [&](const Graph& body, const std::vector<ValueId>& ids) {
    std::vector<TensorInfo>& infos = storage.edges.emplace_back();
    for (ValueId id : ids) infos.push_back(body.info(id));
    auto& pointers = storage.edge_list.emplace_back();
    for (const TensorInfo& edge : infos) pointers.push_back(&edge);
  };
  for (const Graph& body : n.bodies) {
    list(body, body.inputs);
    list(body, body.outputs);
  }
  for (std::size_t i = 0; i < n.bodies.size(); ++i)
    storage.bodies.push_back({storage.edge_list[2 * i], storage.edge_list[2 * i + 1]});
}

void Graph::infer_into(NodeId id, std::vector<TensorInfo>& results) const {
  ViewStorage storage;
  infer_outputs(view(id, storage), node(id).attrs.type(), results);
}

NodeId Graph::add_node(fb::OpKind op, Attributes attrs, std::vector<ValueId> node_inputs,
                       std::string node_name, std::size_t output_count,
                       std::span<const std::string> output_names, std::vector<Graph> bodies) {
  const auto id = static_cast<NodeId>(nodes_.size());
  nodes_.push_back({.op = op,
                    .attrs = std::move(attrs),
                    .inputs = std::move(node_inputs),
                    .outputs = {},
                    .name = std::move(node_name),
                    .source = {},
                    .bodies = std::move(bodies)});
  std::vector<TensorInfo> results(output_count);
  try {
    infer_into(id, results);
  } catch (...) {
    nodes_.pop_back();
    throw;
  }
  Node& added = nodes_.back();
  for (std::size_t i = 0; i < output_count; ++i) {
    std::string output_name = i < output_names.size() ? output_names[i] : std::string();
    if (output_name.empty())
      output_name = i == 0 ? added.name : added.name + ":" + std::to_string(i);
    added.outputs.push_back(static_cast<ValueId>(values_.size()));
    values_.push_back({.name = std::move(output_name),
                       .dtype = results[i].dtype,
                       .shape = results[i].shape,
                       .producer = id});
  }
  order_.push_back(id);
  return id;
}

ValueId Graph::add(fb::OpKind op, Attributes attrs, std::vector<ValueId> node_inputs,
                   std::string node_name) {
  return node(add_node(op, std::move(attrs), std::move(node_inputs), std::move(node_name)))
      .outputs[0];
}

NodeId Graph::insert_node(std::size_t position, fb::OpKind op, Attributes attrs,
                          std::vector<ValueId> node_inputs, std::string node_name) {
  const NodeId id = add_node(op, std::move(attrs), std::move(node_inputs), std::move(node_name));
  order_.pop_back();
  order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(position), id);
  return id;
}

bool Graph::reinfer(NodeId id) {
  std::vector<TensorInfo> results(node(id).outputs.size());
  infer_into(id, results);
  bool changed = false;
  for (std::size_t i = 0; i < results.size(); ++i) {
    Value& output = value(node(id).outputs[i]);
    changed |= output.dtype != results[i].dtype || output.shape != results[i].shape;
    output.dtype = results[i].dtype;
    output.shape = results[i].shape;
  }
  return changed;
}

std::vector<NodeId> Graph::order() const {
  std::vector<NodeId> live;
  std::copy_if(order_.begin(), order_.end(), std::back_inserter(live),
               [this](NodeId id) { return !node(id).removed; });
  return live;
}

std::vector<std::vector<NodeId>> Graph::users() const {
  std::vector<std::vector<NodeId>> readers(values_.size());
  for (NodeId id : order())
    for (ValueId input : node(id).inputs)
      if (input != kAbsent) readers[static_cast<std::size_t>(input)].push_back(id);
  return readers;
}

bool Graph::is_output(ValueId id) const {
  return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& n : nodes_)
    if (!n.removed) std::replace(n.inputs.begin(), n.inputs.end(), from, to);
  if (is_output(from)) {
    std::replace(outputs.begin(), outputs.end(), from, to);
    std::swap(value(from).name, value(to).name);
  }
}

void Graph::remove(NodeId id) { node(id).removed = true; }

std::size_t Graph::remove_dead() {
  std::vector<char> needed(values_.size(), 0);
  for (ValueId output : outputs) needed[static_cast<std::size_t>(output)] = 1;
  std::size_t count = 0;
  const std::vector<NodeId> live = order();
  for (auto it = live.rbegin(); it != live.rend(); ++it) {
    Node& n = node(*it);
    const bool used = std::any_of(n.outputs.begin(), n.outputs.end(), [&](ValueId output) {
      return needed[static_cast<std::size_t>(output)] != 0;
    });
    if (!used) {
      n.removed = true;
      ++count;
      continue;
    }
    for (ValueId input : n.inputs)
      if (input != kAbsent) needed[static_cast<std::size_t>(input)] = 1;
  }
  return count;
}

void Graph::sort(std::span<const std::pair<NodeId, NodeId>> also) {
  const std::vector<NodeId> live = order();
  std::vector<std::size_t> place(nodes_.size(), 0);
  for (std::size_t i = 0; i < live.size(); ++i) place[static_cast<std::size_t>(live[i])] = i;
  const auto readers = users();
  std::vector<std::size_t> waiting(nodes_.size(), 0);
  // The earliest node that is ready comes next, so an order that is right stays as it is.
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (NodeId id : live)
    for (ValueId input : node(id).inputs)
      if (input != kAbsent && value(input).producer >= 0) ++waiting[static_cast<std::size_t>(id)];
  for (const auto& [before, after] : also) ++waiting[static_cast<std::size_t>(after)];
  for (NodeId id : live)
    if (waiting[static_cast<std::size_t>(id)] == 0) ready.push(place[static_cast<std::size_t>(id)]);
  order_.clear();
  while (!ready.empty()) {
    const NodeId id = live[ready.top()];
    ready.pop();
    order_.push_back(id);
    const auto release = [&](NodeId next) {
      if (--waiting[static_cast<std::size_t>(next)] == 0)
        ready.push(place[static_cast<std::size_t>(next)]);
    };
    for (ValueId output : node(id).outputs)
      for (NodeId reader : readers[static_cast<std::size_t>(output)]) release(reader);
    for (const auto& [before, after] : also)
      if (before == id) release(after);
  }
  require(order_.size() == live.size(), ErrorCode::invalid_model, "graph '", name, "' has a cycle");
}

}  // namespace skiff::ir
