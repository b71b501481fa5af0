#include "converters/quantize/bias.h"

#include "converters/quantize/places.h"

namespace skiff::quantize {
namespace {

/// From here on a mean is that of other data too, to a tenth of its numbers' deviation.
constexpr double kLeastRows = 100;

}  // namespace

void ChannelMeans::add(std::span<const float> numbers) noexcept {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double x = static_cast<double>(numbers[i]);
    real_[i % channels()] += x;
    stored_[i % channels()] += scale_.stored(x);
  }
  rows_ += static_cast<double>(numbers.size() / channels());
}

std::vector<double> mean_excess(const ir::Graph& graph, const ir::Node& product,
                                const ir::Value& rounded, const ChannelMeans& data) {
  if (data.rows() < kLeastRows) return {};
  double factor = 1;
  if (product.op == fb::OpKind::matmul) {
    const auto& attrs = product.attrs.get<fb::MatMulAttrs>();
    if (attrs.transpose_a()) return {};
    factor = static_cast<double>(attrs.scale());
  }
  const WeightPlaces places(graph, product);
  const std::vector<double> exact = ir::numbers(graph.value(product.inputs[1])),
                            stored = ir::numbers(rounded);
  std::vector<double> excess(places.outputs());
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const auto [output, channel] = places[i];
    excess[output] += factor * (stored[i] * data.stored(channel) - exact[i] * data.real(channel));
  }
  return excess;
}

}  // namespace skiff::quantize
