#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "converters/precision/precision.h"

namespace skiff::quantize {

using precision::Kept;

/// How far an output of the quantised graph is from that of the float graph, over all samples.
struct Accuracy {
  std::string output;
  double relative_l2 = 0;   ///< norm of the difference over that of the float output
  double max_relative = 0;  ///< largest difference over the float output's largest magnitude
  double cosine = 1;        ///< of the angle between the two
};

/// What quantisation did.
struct Outcome {
  std::size_t samples = 0;         ///< 0: nothing was asked for
  std::size_t products = 0;        ///< operators that multiply: conv, matmul, attention, ...
  std::size_t integer = 0;         ///< those of them that multiply integers
  std::vector<Kept> kept = {};     ///< the others
  std::int64_t float_weights = 0;  ///< bytes of all constants before
  std::vector<Accuracy> accuracy = {};
};

/// Told what is done now, and the share of it that is behind it.
using Progress = std::function<void(const char* stage, double done)>;

}  // namespace skiff::quantize
