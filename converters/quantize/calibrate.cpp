#include "converters/quantize/calibrate.h"

#include <map>
#include <utility>

#include "converters/compute.h"
#include "converters/quantize/bias.h"
#include "converters/quantize/histogram.h"
#include "converters/quantize/pairs.h"
#include "converters/quantize/products.h"
#include "converters/quantize/scale.h"

namespace skiff::quantize {
namespace {

using ir::ValueId;

std::size_t channels_of(const Shape& shape) {
  return static_cast<std::size_t>(shape.rank() == 0 ? 1 : shape.back());
}

/// Why products whose data are distributed so stay in floats; empty: they need not.
std::string obstacle(const Histogram& histogram, const std::string& name) {
  if (!histogram.finite()) return message("its data '", name, "' reach an infinity or a NaN");
  if (histogram.low() == histogram.high())
    return message("its data '", name, "' are zeros in all samples");
  return {};
}

/// The scales of all data; products whose data have none go from `products` to `kept`.
std::map<ValueId, Scale> find_scales(const ir::Graph& graph, Choice& choice,
                                     const std::map<ValueId, Histogram>& histograms) {
  std::map<ValueId, std::string> obstacles;
  std::map<ValueId, Scale> scales;
  for (const auto& [id, histogram] : histograms) {
    std::string& why = obstacles[id] = obstacle(histogram, graph.value(id).name);
    if (why.empty()) scales.emplace(id, best_scale(histogram));
  }
  std::erase_if(choice.products, [&](const Product& product) {
    const ir::Node& node = graph.node(product.node);
    const std::string& why = obstacles.at(node.inputs[0]);
    if (!why.empty()) choice.kept.push_back({node.name, name_of(node.op), why});
    return !why.empty();
  });
  return scales;
}

}  // namespace

Outcome calibrate(ir::Graph& graph, const Samples& samples, const Progress& progress) {
  Choice choice = choose_products(graph);
  Outcome outcome;
  outcome.products = choice.products.size() + choice.others + choice.kept.size();
  std::map<ValueId, Histogram> histograms;
  for (const Product& product : choice.products)
    histograms.try_emplace(graph.node(product.node).inputs[0]);
  outcome.samples = samples.for_each([&](const npy::Archive& inputs, double done) {
    progress("calibrating", done / 2);
    const ir::Graph computed = convert::compute(graph, inputs);
    for (auto& [id, histogram] : histograms) histogram.add(ir::floats_of(computed.value(id)));
  });
  std::map<ValueId, ChannelMeans> data;
  for (const auto& [id, scale] : find_scales(graph, choice, histograms))
    data.emplace(id, ChannelMeans(channels_of(graph.value(id).shape), scale));
  samples.for_each([&](const npy::Archive& inputs, double done) {
    progress("calibrating", (1 + done) / 2);
    const ir::Graph computed = convert::compute(graph, inputs);
    for (auto& [id, means] : data) means.add(ir::floats_of(computed.value(id)));
  });
  insert_pairs(graph, choice.products, data);
  outcome.kept = std::move(choice.kept);
  return outcome;
}

}  // namespace skiff::quantize
