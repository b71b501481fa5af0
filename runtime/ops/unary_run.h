#pragma once

#include <cstdint>

#include "runtime/ops/op.h"

namespace skiff {

namespace cpu {
struct KernelTable;
}

/// A unary function bound to an element type: y[0, count) = f(x[0, count)); y may be x.
struct UnaryRun {
  using Run = void (*)(const UnaryRun& self, const void* x, void* y, std::int64_t count);

  fb::UnaryFunction function = fb::UnaryFunction::none;
  float alpha = 0;
  float beta = 0;
  const cpu::KernelTable* table = nullptr;
  Run run = nullptr;

  void operator()(const void* x, void* y, std::int64_t count) const { run(*this, x, y, count); }
  explicit operator bool() const noexcept { return function != fb::UnaryFunction::none; }
  /// Simple operations an element, about.
  std::int64_t cost() const noexcept;
};

/// Throws Error{unsupported} for a dtype that the function does not have.
UnaryRun make_unary_run(const NodeView& node, fb::UnaryFunction function, float alpha, float beta,
                        DType dtype, const cpu::KernelTable& table);

}  // namespace skiff
