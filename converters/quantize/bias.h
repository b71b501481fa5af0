#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/quantize/scale.h"

namespace skiff::quantize {

/// Means over all samples of each channel of a tensor (index along its last axis), as it is and as
/// its scale stores it.
class ChannelMeans {
 public:
  ChannelMeans() = default;
  ChannelMeans(std::size_t channels, const Scale& scale)
      : scale_(scale), real_(channels), stored_(channels) {}

  /// Dense numbers of the tensor.
  void add(std::span<const float> numbers) noexcept;

  const Scale& scale() const noexcept { return scale_; }
  /// Positions that were seen, of all samples together.
  double rows() const noexcept { return rows_; }
  std::size_t channels() const noexcept { return real_.size(); }
  double real(std::size_t channel) const noexcept { return real_[channel] / rows_; }
  double stored(std::size_t channel) const noexcept { return stored_[channel] / rows_; }

 private:
  Scale scale_;
  double rows_ = 0;
  std::vector<double> real_, stored_;  // sums
};

/// What a product of quantised data and `rounded` weights gives too much of, on the average, for
/// each of its output channels: sum over k of rounded_k * E[stored x_k] - weight_k * E[x_k]. A bias
/// less by that has the product's mean right again (Nagel et al., "Data-Free Quantization Through
/// Weight Equalization and Bias Correction", 2019, section 4.2, there for weights alone). Borders
/// that are padded are taken for inner ones. Empty where the data's channels are not those that the
/// product sums over, or where too few positions were seen for their mean to be that of others.
std::vector<double> mean_excess(const ir::Graph& graph, const ir::Node& product,
                                const ir::Value& rounded, const ChannelMeans& data);

}  // namespace skiff::quantize
