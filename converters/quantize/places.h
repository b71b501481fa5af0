#pragma once

#include <cstddef>

#include "converters/ir/graph.h"

namespace skiff::quantize {

/// Which channels each weight of a product joins: one of its result's and one of its data's.
class WeightPlaces {
 public:
  struct Place {
    std::size_t output, data;
  };

  /// A conv, or a matmul whose weights are one matrix.
  WeightPlaces(const ir::Graph& graph, const ir::Node& product);

  std::size_t outputs() const noexcept { return outputs_; }
  /// Of weight i, as the constant's numbers lie.
  Place operator[](std::size_t i) const noexcept;

 private:
  bool conv_ = false, transposed_ = false;
  std::size_t outputs_ = 0;
  std::size_t row_ = 1;            // weights of the first axis' index
  std::size_t depth_ = 1;          // of the last axis
  std::size_t group_outputs_ = 1;  // conv only
};

}  // namespace skiff::quantize
