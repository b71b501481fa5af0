#pragma once

#include <cstring>

#include "runtime/cuda/number.cuh"

// The host's counterpart of runtime/cuda/portable/skiff_device/stored.h.
namespace skiff::cuda {

inline float float_of_bits(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace skiff::cuda
