#include "converters/quantize/bias.h"

namespace skiff::quantize {
namespace {

/// From here on a mean is that of other data too, to a tenth of its numbers' deviation.
constexpr double kLeastRows = 100;

/// Which output channel and which channel of the data a weight belongs to.
struct Place {
  std::size_t output, data;
};

Place place_in_conv(std::size_t i, const Shape& weights, std::size_t group_outputs) {
  const auto depth = static_cast<std::size_t>(weights.back());
  const std::size_t output = i / static_cast<std::size_t>(weights.elements(1, weights.rank()));
  return {output, output / group_outputs * depth + i % depth};
}

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
  const Shape& shape = rounded.shape;
  const bool conv = product.op == fb::OpKind::conv;
  bool transposed = false;
  double factor = 1;
  std::size_t outputs = static_cast<std::size_t>(shape[0]), group_outputs = outputs;
  if (conv) {
    group_outputs /= static_cast<std::size_t>(product.attrs.get<fb::ConvAttrs>().groups());
  } else {
    const auto& attrs = product.attrs.get<fb::MatMulAttrs>();
    if (attrs.transpose_a()) return {};
    transposed = attrs.transpose_b();
    factor = static_cast<double>(attrs.scale());
    outputs = static_cast<std::size_t>(shape[transposed ? 0 : 1]);
  }
  const std::vector<double> exact = ir::numbers(graph.value(product.inputs[1])),
                            stored = ir::numbers(rounded);
  const auto columns = static_cast<std::size_t>(shape.back());
  std::vector<double> excess(outputs);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const Place place = conv         ? place_in_conv(i, shape, group_outputs)
                        : transposed ? Place{i / columns, i % columns}
                                     : Place{i % columns, i / columns};
    excess[place.output] +=
        factor * (stored[i] * data.stored(place.data) - exact[i] * data.real(place.data));
  }
  return excess;
}

}  // namespace skiff::quantize
