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
