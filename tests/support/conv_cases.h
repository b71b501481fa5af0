#pragma once

#include <vector>

#include "tests/support/op_runner.h"
#include "tests/support/reference_conv.h"

// What the tests of convolutions share: a case in few words, its operands, what it should give.
namespace skiff::test {

using Axis = std::vector<std::int64_t>;

/// A convolution, transposed or not, in the terms of the schema; spatial axes as many as `in` has.
struct ConvCase {
  std::int64_t batch = 1, cin = 1, cout = 1, groups = 1;
  Axis in, kernel;
  Axis stride{}, dilation{}, pads{}, output_pads{};  // empty: the default
  bool bias = true, residual = false, constant = true;
  fb::OpKind op = fb::OpKind::conv;
  fb::UnaryFunction activation = fb::UnaryFunction::none;
  float alpha = 0, beta = 0;
  fb::DType sums = fb::DType::none;
};

/// A case with its operands; an operand of no dtype is an optional one left out.
struct ConvNode {
  fb::OpKind op;
  Attributes attributes;
  std::vector<TensorData> inputs;

  std::vector<const TensorData*> operands() const { return operands_of(inputs); }
  Shape output() const { return infer_op(op, attributes, operands())[0].shape; }
  /// With one thread to `threads`, whose bits must be the same.
  TensorData run(const cpu::KernelTable& table, int threads = 2) const;
};

/// The case with random operands.
ConvNode node_of(const ConvCase& c, unsigned seed);

/// What the reference makes of the operands.
ReferenceResult expected_of(const ConvCase& c, const ConvNode& node, const Shape& out);

/// Against the reference, on every instruction set (run_op compares threads and in-place runs).
void check_case(const ConvCase& c, unsigned seed);

}  // namespace skiff::test
