#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "runtime/ops/op.h"

namespace skiff {

/// Elementwise operators computed as one step: the attributes of a node that a session makes of
/// several (see graph/fuse_chains.h), never stored in a file. Plain numbers: it crosses to the GPU
/// module as it is, where an interpreter takes it as its code.
struct PointwiseChain {
  static constexpr int kMaxSteps = 8, kMaxInputs = 6;
  /// Where an operand has another place for each row (a factor a pixel): elements of a row from
  /// which on functions of rows are worth their calls.
  static constexpr std::int64_t kLongRow = 256;

  /// The operand of a unary step has the shape of the chain's result, as every step's result has.
  struct Step {
    std::int32_t binary;      ///< 0: y = function(a); else y = activation(function(a, b))
    std::int32_t function;    ///< of fb::UnaryFunction or fb::BinaryFunction
    std::int32_t activation;  ///< fb::UnaryFunction
    float alpha, beta;        ///< of the unary function
    std::int32_t a, b;        ///< the node's inputs, then the results of the steps before
  };
  Step steps[kMaxSteps];
  std::int32_t count, inputs;

  /// Of 8-bit integers, real = scale (stored - zero): which of the node's inputs, behind the
  /// operands, hold the two. Scale 0: the tensor holds floats; zero 0: there is none.
  struct Scale {
    std::int32_t scale, zero;
  };
  static constexpr int kMostInputs = 3 * kMaxInputs + 2;
  /// Of the operands, which then have the result's shape, and of the result. The others are float32
  /// then (graph/fuse_quantized.h).
  Scale stored[kMaxInputs], result;
  DType result_dtype;  ///< where it has a scale

  std::span<const TensorInfo* const> operands(const NodeView& node) const noexcept {
    return node.inputs.first(static_cast<std::size_t>(inputs));
  }
  /// How many operands and results are integers.
  int conversions() const noexcept {
    int many = result.scale != 0 ? 1 : 0;
    for (const Scale& s : stored) many += s.scale != 0 ? 1 : 0;
    return many;
  }
  /// The dtype of operands and results of the steps.
  DType computes_in(const NodeView& node) const noexcept {
    return conversions() > 0 ? DType::float32 : node.input(0).dtype;
  }
};

/// The step that a node would be, operands not set; false when it cannot be one: another operator,
/// a function or types that a chain does not have.
bool read_chain_step(const NodeView& node, PointwiseChain::Step& step) noexcept;

/// The row of a chain in place of the op table's. The result has the shape that the inputs
/// broadcast to.
const OpDef& pointwise_chain_op() noexcept;

/// Every operand has the result's shape, is one number or one row for all, or rows are kLongRow
/// elements at least.
bool chain_has_long_rows(std::span<const TensorInfo* const> inputs, const Shape& result) noexcept;

std::unique_ptr<Kernel, KernelDeleter> make_pointwise_chain_cpu(const KernelSpec& spec);

}  // namespace skiff
