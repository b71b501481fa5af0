#pragma once

#include "runtime/cpu/kernel_table.h"
#include "schema/skiff_generated.h"

namespace skiff::cpu {

/// The fused form of an activation that check_activation() accepted.
constexpr Epilogue epilogue_of(fb::UnaryFunction function, float alpha, float beta) noexcept {
  using F = fb::UnaryFunction;
  constexpr F theirs[] = {
      F::none,         F::relu,       F::clip,     F::leaky_relu, F::sigmoid,   F::tanh,
      F::hard_sigmoid, F::hard_swish, F::swish,    F::gelu_erf,   F::gelu_tanh, F::elu,
      F::selu,         F::celu,       F::softplus, F::softsign,   F::mish,      F::thresholded_relu,
      F::shrink};
  using A = Activation;
  constexpr A ours[] = {
      A::none,         A::relu,       A::clip,     A::leaky_relu, A::sigmoid,   A::tanh,
      A::hard_sigmoid, A::hard_swish, A::swish,    A::gelu_erf,   A::gelu_tanh, A::elu,
      A::selu,         A::celu,       A::softplus, A::softsign,   A::mish,      A::thresholded_relu,
      A::shrink};
  constexpr bool same = [&] {
    for (int i = 0; i < 19; ++i)
      if (static_cast<int>(theirs[i]) != i || static_cast<int>(ours[i]) != i) return false;
    return true;
  }();
  static_assert(same, "Activation repeats the schema's numbers");
  return {static_cast<Activation>(function), alpha, beta};
}

}  // namespace skiff::cpu
