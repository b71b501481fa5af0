#include "converters/quantize/places.h"

namespace skiff::quantize {

WeightPlaces::WeightPlaces(const ir::Graph& graph, const ir::Node& product)
    : conv_(product.op == fb::OpKind::conv) {
  const Shape& shape = graph.value(product.inputs[1]).shape;
  row_ = static_cast<std::size_t>(shape.elements(1, shape.rank()));
  depth_ = static_cast<std::size_t>(shape.back());
  if (!conv_) transposed_ = product.attrs.get<fb::MatMulAttrs>().transpose_b();
  outputs_ = conv_ || transposed_ ? static_cast<std::size_t>(shape[0]) : depth_;
  if (conv_)
    group_outputs_ =
        outputs_ / static_cast<std::size_t>(product.attrs.get<fb::ConvAttrs>().groups());
}

WeightPlaces::Place WeightPlaces::operator[](std::size_t i) const noexcept {
  const std::size_t first = i / row_, last = i % depth_;
  if (conv_) return {first, first / group_outputs_ * depth_ + last};
  return transposed_ ? Place{first, last} : Place{last, first};
}

}  // namespace skiff::quantize
