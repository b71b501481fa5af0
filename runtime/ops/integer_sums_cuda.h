#pragma once

#include "runtime/ops/integer_conv_cuda.h"

// What stands around a library's product of int8.
namespace skiff::cuda {

/// y = x - 128 for `count` numbers; a multiple of 4.
void enqueue_signed(const LaunchArgs& args, const std::uint8_t* x, std::int64_t count,
                    std::int8_t* y);

/// One of an output channel each, but for the sums [pixels, Cout]; Cout is a multiple of 4.
struct IntegerSums {
  const std::int32_t *sums, *starts;
  const float *factors, *bias;  ///< bias may be null
};
/// The results of a convolution, at `y`, from the sums of its products.
void enqueue_results(const LaunchArgs& args, const IntegerConvPlan& plan, const IntegerSums& from,
                     void* y);

}  // namespace skiff::cuda
