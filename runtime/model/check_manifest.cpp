#include <algorithm>

#include "runtime/core/error.h"
#include "runtime/graph/shapes.h"
#include "runtime/model/checks.h"

namespace skiff::model {
namespace {

constexpr auto kBad = ErrorCode::invalid_model;

void check_index(std::int64_t index, std::size_t count, std::string_view what) {
  require(index >= 0 && static_cast<std::uint64_t>(index) < count, kBad, what, " is ", index,
          ", must be in [0, ", count, ")");
}

/// `shapes` serves all cases of a model with symbols.
void check_golden(const fb::Model& model, const Graph& graph, const fb::GoldenCase& golden,
                  Shapes& shapes) {
  const std::size_t symbols = graph.symbols == nullptr ? 0 : graph.symbols->count();
  require(length(golden.symbols()) == symbols, kBad, "a golden case gives ",
          length(golden.symbols()), " sizes, the model has ", symbols, " symbols");
  if (symbols > 0) assign(shapes, numbers(golden.symbols()));
  const auto check_tensors = [&](const auto* tensors, std::string_view what) {
    for (std::size_t i = 0; i < length(tensors); ++i) {
      const fb::GoldenTensor& tensor = *tensors->Get(static_cast<unsigned>(i));
      check_index(tensor.value(), graph.main_values, what);
      check_index(tensor.buffer(), length(model.buffers()), "buffer of golden data");
      const TensorInfo& info = shapes.info(tensor.value());
      require(model.buffers()->Get(static_cast<unsigned>(tensor.buffer()))->size() ==
                  static_cast<std::uint64_t>(info.bytes()),
              kBad, "golden data of '", info.name, "' has the wrong size");
    }
  };
  check_tensors(golden.inputs(), "value of a golden input");
  check_tensors(golden.outputs(), "value of a golden output");
  for (std::size_t i = 0; i < length(golden.fingerprints()); ++i)
    check_index(golden.fingerprints()->Get(static_cast<unsigned>(i))->value(), graph.main_values,
                "value of a fingerprint");
}

void check_preprocess(const Graph& graph, const fb::Preprocess& p) {
  check_index(p.input(), graph.inputs.size(), "preprocessing: input");
  const TensorInfo& info = graph.value(graph.inputs[static_cast<std::size_t>(p.input())]).info;
  const auto rank = static_cast<std::size_t>(info.shape.rank());
  check_index(p.height_axis(), rank, "preprocessing: height axis");
  check_index(p.width_axis(), rank, "preprocessing: width axis");
  check_index(p.channel_axis(), rank, "preprocessing: channel axis");
  require(p.height_axis() != p.width_axis() && p.height_axis() != p.channel_axis() &&
              p.width_axis() != p.channel_axis(),
          kBad, "preprocessing: two axes are the same");
  const auto channels = static_cast<std::size_t>(p.color() == fb::ColorOrder::gray ? 1 : 3);
  require(info.shape[p.channel_axis()] == static_cast<std::int64_t>(channels), kBad,
          "preprocessing: input '", info.name, "' has ", info.shape[p.channel_axis()],
          " channels, the colour order has ", channels);
  require(p.color() <= fb::ColorOrder::MAX && p.fit() <= fb::FitMode::MAX, kBad,
          "preprocessing: unknown colour order or fit");
  for (const auto* field : {p.mean(), p.std()})
    require(length(field) == 0 || length(field) == channels, kBad,
            "preprocessing: mean and std need an entry a channel");
  for (float deviation : numbers(p.std()))
    require(deviation > 0, kBad, "preprocessing: std must be positive");
}

void check_postprocess(const Graph& graph, const fb::Postprocess& p) {
  require(p.kind() <= fb::PostprocessKind::MAX, ErrorCode::unsupported,
          "postprocessing of a kind this Skiff does not know");
  if (p.kind() == fb::PostprocessKind::none) return;
  check_index(p.scores(), graph.outputs.size(), "postprocessing: scores");
  const bool has_boxes = p.kind() == fb::PostprocessKind::detect_anchors ||
                         p.kind() == fb::PostprocessKind::detect_corners;
  if (has_boxes) check_index(p.boxes(), graph.outputs.size(), "postprocessing: boxes");
  require(length(p.anchors()) % 4 == 0, kBad, "postprocessing: anchors come in fours");
  require(p.box_scale() != 0 && p.keypoints() >= 0 && p.keypoints() < 1024, kBad,
          "postprocessing: box_scale or keypoints out of range");
}

void check_state(const fb::Model& model, const Graph& graph, const fb::StatePair& state) {
  check_index(state.output(), graph.main_values, "output of a state");
  check_index(state.input(), graph.main_values, "input of a state");
  const GraphValue &output = graph.value(state.output()), &input = graph.value(state.input());
  require(output.is_output && input.is_input, kBad, "a state joins '", output.info.name, "' and '",
          input.info.name, "', which are not an output and an input");
  require(output.info.dtype == input.info.dtype && output.info.shape == input.info.shape &&
              same_bytes(output, input),
          kBad, "state: output '", output.info.name, "' and input '", input.info.name,
          "' differ in type or shape");
  if (state.initial_buffer() == -1) return;
  check_index(state.initial_buffer(), length(model.buffers()), "initial value of a state");
  const auto* buffer = model.buffers()->Get(static_cast<unsigned>(state.initial_buffer()));
  require(input.dims == nullptr && buffer->size() == static_cast<std::uint64_t>(input.max_bytes),
          kBad, "the initial value of state '", input.info.name, "' has the wrong size");
}

void read_states(const fb::Model& model, Graph& graph) {
  // As many as there are inputs at most, each another one.
  require(length(model.states()) <= graph.inputs.size(), kBad, "more states than inputs");
  graph.states.reserve(length(model.states()));
  for (std::size_t i = 0; i < length(model.states()); ++i) {
    const fb::StatePair& state = *model.states()->Get(static_cast<unsigned>(i));
    check_state(model, graph, state);
    graph.states.push_back({state.output(), state.input(), state.initial_buffer()});
  }
  const auto by_input = [](const StateLink& a, const StateLink& b) { return a.input < b.input; };
  const auto same = [](const StateLink& a, const StateLink& b) { return a.input == b.input; };
  std::sort(graph.states.begin(), graph.states.end(), by_input);
  require(std::adjacent_find(graph.states.begin(), graph.states.end(), same) == graph.states.end(),
          kBad, "two states have the same input");
}

void check_plans(const fb::Model& model) {
  for (std::size_t i = 0; i < length(model.plans()); ++i)
    require(length(model.plans()->Get(static_cast<unsigned>(i))->key()) == 32, kBad, "memory plan ",
            i, " has no 32-byte key");
}

}  // namespace

void assign(Shapes& shapes, std::span<const std::int64_t> symbols, bool all) {
  try {
    all ? shapes.assign(symbols) : shapes.assign_inputs(symbols);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    fail(ErrorCode::invalid_model, error.what());
  }
}

void check_features(const fb::Model& model) {
  const auto* features = model.required_features();
  require(length(features) == 0, ErrorCode::unsupported, "the model needs the feature '",
          length(features) == 0 ? std::string_view() : text(features->Get(0)),
          "', which this version of Skiff does not have");
  require(length(model.graphs()) >= 1, kBad, "the model has no graph");
  Symbols::check(model);
}

void check_buffers(const fb::Model& model, std::uint64_t data_size) {
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < length(model.buffers()); ++i) {
    const fb::Buffer& buffer = *model.buffers()->Get(static_cast<unsigned>(i));
    require(buffer.offset() % kBufferAlignment == 0, kBad, "buffer ", i, " is not aligned to ",
            kBufferAlignment);
    require(buffer.offset() >= end, kBad, "buffer ", i, " overlaps the one before it");
    require(buffer.offset() <= data_size && buffer.size() <= data_size - buffer.offset(), kBad,
            "buffer ", i, " lies outside the data segment");
    require(length(buffer.sha256()) == 32, kBad, "buffer ", i, " has no SHA-256");
    end = buffer.offset() + buffer.size();
  }
}

void check_manifest(const fb::Model& model, Graph& graph, std::pmr::memory_resource& scratch) {
  read_states(model, graph);
  check_plans(model);
  for (std::size_t i = 0; i < length(model.preprocess()); ++i)
    check_preprocess(graph, *model.preprocess()->Get(static_cast<unsigned>(i)));
  if (model.postprocess() != nullptr) check_postprocess(graph, *model.postprocess());
  if (length(model.golden()) == 0) return;
  std::pmr::monotonic_buffer_resource resource(&scratch);
  Shapes shapes(graph, resource);
  for (std::size_t i = 0; i < length(model.golden()); ++i)
    check_golden(model, graph, *model.golden()->Get(static_cast<unsigned>(i)), shapes);
}

}  // namespace skiff::model
