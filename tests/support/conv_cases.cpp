#include "tests/support/conv_cases.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/closeness.h"
#include "tests/support/reference_activation.h"

namespace skiff::test {
namespace {

Shape tensor_shape(std::int64_t first, const Axis& spatial, std::int64_t last) {
  Shape shape{first};
  for (std::int64_t extent : spatial) shape.push_back(extent);
  shape.push_back(last);
  return shape;
}

/// Right-aligned in three axes; what is missing takes `fill`.
Axis three(const Axis& values, std::int64_t fill) {
  Axis result(3 - values.size(), fill);
  result.insert(result.end(), values.begin(), values.end());
  return result;
}

}  // namespace

TensorData ConvNode::run(const cpu::KernelTable& table, int threads) const {
  const OpResult result = run_op(op, attributes, operands(), {.table = &table, .threads = threads});
  EXPECT_TRUE(result.status.ok()) << result.status.message();
  return result[0];
}

ConvNode node_of(const ConvCase& c, unsigned seed) {
  fb::ConvAttrsT attrs;
  attrs.strides = c.stride;
  attrs.dilations = c.dilation;
  attrs.pads = c.pads;
  attrs.output_pads = c.output_pads;
  attrs.groups = c.groups;
  attrs.activation = c.activation;
  attrs.alpha = c.alpha;
  attrs.beta = c.beta;
  attrs.sums = c.sums;
  ConvNode node{c.op,
                attrs,
                {random_tensor(tensor_shape(c.batch, c.in, c.cin), seed),
                 random_tensor(tensor_shape(c.cout, c.kernel, c.cin / c.groups), seed + 1),
                 c.bias ? random_tensor(Shape{c.cout}, seed + 2) : TensorData()}};
  node.inputs[1].constant = c.constant;
  if (c.residual) node.inputs.push_back(random_tensor(node.output(), seed + 3));
  return node;
}

ReferenceResult expected_of(const ConvCase& c, const ConvNode& node, const Shape& out) {
  const std::size_t n = c.in.size();
  ReferenceConv r{c.batch, c.cin, c.cout, c.groups, three(c.in, 1), three(c.kernel, 1)};
  r.stride = three(c.stride.empty() ? Axis(n, 1) : c.stride, 1);
  r.dilation = three(c.dilation.empty() ? Axis(n, 1) : c.dilation, 1);
  const Axis begins =
      c.pads.empty() ? Axis(n, 0) : Axis(c.pads.begin(), c.pads.begin() + static_cast<long>(n));
  r.pad_begin = three(begins, 0);
  Axis extents;
  for (int i = 1; i + 1 < out.rank(); ++i) extents.push_back(out[i]);
  r.out = three(extents, 1);
  const auto x = node.inputs[0].values<float>(), w = node.inputs[1].values<float>();
  ReferenceResult result = c.op == fb::OpKind::conv_transpose
                               ? reference_conv_transpose(r, x.data(), w.data())
                               : reference_conv(r, x.data(), w.data());
  const auto bias = c.bias ? node.inputs[2].numbers() : std::vector<double>();
  const auto residual = c.residual ? node.inputs[3].numbers() : std::vector<double>();
  for (std::size_t i = 0; i < result.value.size(); ++i) {
    double& value = result.value[i];
    if (c.bias) value += bias[i % bias.size()];
    if (c.residual) value += residual[i];
    value = reference_activation(c.activation, value, c.alpha, c.beta);
  }
  return result;
}

void check_case(const ConvCase& c, unsigned seed) {
  const ConvNode node = node_of(c, seed);
  const Shape out = node.output();
  const ReferenceResult expected = expected_of(c, node, out);
  for_each_table([&](const cpu::KernelTable& table) {
    const TensorData y = node.run(table);
    ASSERT_EQ(y.shape, out);
    // Rounding grows with the square root of the terms; slopes of activations are at most 1.2.
    const double terms =
        static_cast<double>(node.inputs[1].elements()) / static_cast<double>(c.cout);
    expect_close(y.values<float>(), expected.value, [&](std::size_t i) {
      return 1.2 * (6 + std::sqrt(terms)) * 0x1p-24 * (expected.magnitude[i] + 4);
    });
  });
}

}  // namespace skiff::test
