#pragma once

#include <optional>

#include "runtime/cuda/cudnn/plan.h"
#include "runtime/ops/integer_conv_cuda.h"

namespace skiff::cuda {

/// The tensors of an integer convolution's graph; those with the id 0 it does not have.
struct IntegerConvGraph {
  cudnn::TensorId x{}, w{}, y{};
  cudnn::TensorId factors{}, starts{}, bias{};  ///< a float32 an output channel
  cudnn::TensorId low{}, high{};                ///< one float32
};

/// What the graph's operands hold beside x and w, by which exact sums become
///   stored = saturate(round half to even(min(max(factors sum + starts + bias, low), high))).
/// Everything is in steps of the result: starts = factors (start of the sum) + zero point, bias is
/// scaled, low and high are bounds within those of the result's type.
struct IntegerConvEnds {
  bool starts, bias, low, high;
  float bias_factor, lowest, highest;
};
IntegerConvEnds ends_of(const IntegerConvPlan& plan) noexcept;

/// Writes the graph; false where cuDNN's engines for integers do not take the layer: x is uint8,
/// channels are no multiples of 4, the activation is another than relu and clip, the bias is
/// computed; or where x has a zero point and a border, beyond which cuDNN reads zeros.
bool write_integer_conv_graph(const IntegerConvPlan& plan, cudnn::OperationGraph& graph,
                              IntegerConvGraph& result);

struct IntegerConvEngine {
  IntegerConvGraph graph;
  cudnn::Plan plan;
};
/// The engine that is named as in integer_conv_engine_names(); the first, where none is named.
std::optional<IntegerConvEngine> find_integer_conv_engine(const IntegerConvPlan& plan,
                                                          const cudnn::Target& target,
                                                          std::uint64_t most_workspace = UINT64_MAX,
                                                          std::string_view choice = {});
std::vector<std::string> integer_conv_engine_names(const IntegerConvPlan& plan,
                                                   const cudnn::Target& target, int most);

}  // namespace skiff::cuda
