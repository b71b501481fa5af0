#pragma once

#include <cstdint>

#include "runtime/ops/convert.h"
#include "runtime/ops/op.h"

namespace skiff {

namespace cpu {
struct KernelTable;
}

/// A binary function bound to element types: y[i] = f(a[i * step_a], b[i * step_b]), steps 0 or 1.
/// y may be a or b where the step is 1 and element sizes are equal.
struct BinaryRows {
  using Run = void (*)(const BinaryRows& self, const void* a, std::int64_t step_a, const void* b,
                       std::int64_t step_b, void* y, std::int64_t count);
  Run run = nullptr;
  Run inner = nullptr;  ///< 16-bit floats: the float function
  void (*row)(const float* a, std::int64_t step_a, const float* b, std::int64_t step_b, float* y,
              std::int64_t count) = nullptr;  ///< the instruction set's function
  Convert widen[2] = {};                      ///< pow of two types: each operand to double
  Convert narrow = nullptr;
  std::int64_t size[2] = {};  ///< bytes an element of a and b
  std::int64_t cost = 1;      ///< simple operations an element, about
};

/// Throws Error{unsupported} for dtypes that the function does not have.
BinaryRows choose_rows(const NodeView& node, fb::BinaryFunction function, DType a, DType b,
                       const cpu::KernelTable& table);

}  // namespace skiff
