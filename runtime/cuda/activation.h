#pragma once

#include "schema/skiff_generated.h"

namespace skiff::cuda {

/// A function of the schema with its parameters, as kernels take it.
struct Activation {
  fb::UnaryFunction function = fb::UnaryFunction::none;
  float alpha = 0, beta = 0;
};

}  // namespace skiff::cuda
