#include <gtest/gtest.h>

#include "tests/support/conv_cases.h"

namespace skiff::test {
namespace {

void expect_refused(const ConvCase& c) {
  const ConvNode node = node_of(c, 50);
  expect_refused(node.op, node.attributes, node.inputs);
}

TEST(Conv, HostileAttributes) {
  const ConvCase good{.cin = 4, .cout = 4, .in = {5, 5}, .kernel = {3, 3}};
  EXPECT_EQ(node_of(good, 50).output(), (Shape{1, 3, 3, 4}));
  const std::int64_t huge = INT64_MAX;
  for (std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, huge, -huge}) {
    ConvCase c = good;
    c.stride = {bad, 1};
    expect_refused(c);
    c = good;
    c.dilation = {1, bad};
    expect_refused(c);
  }
  for (std::int64_t bad : {std::int64_t{-1}, huge}) {
    ConvCase c = good;
    c.pads = {0, bad, 0, 0};
    expect_refused(c);
  }
  for (std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3}, INT64_MIN, huge}) {
    ConvNode node = node_of(good, 50);
    fb::ConvAttrsT attrs;
    attrs.groups = bad;
    node.attributes = attrs;
    expect_refused(node.op, node.attributes, node.inputs);
  }
  for (const Shape& bad :
       {Shape{4, 3, 4}, Shape{4, 3, 3, 3}, Shape{0, 3, 3, 4}, Shape{4, 0, 3, 4}}) {
    ConvNode node = node_of(good, 50);
    node.inputs[1] = random_tensor(bad, 1);
    node.inputs[2] = TensorData();
    const std::vector<TensorData> present{node.inputs[0], node.inputs[1]};
    expect_refused(node.op, node.attributes, present);
  }
  ConvCase c = good;
  c.pads = {0, 0, 0};
  expect_refused(c);
  c = good;
  c.stride = {1};
  expect_refused(c);
  c = good;
  c.kernel = {6, 1};
  expect_refused(c);
  c = good;
  c.dilation = {1 << 27, 1};
  expect_refused(c);
  c = good;
  c.activation = fb::UnaryFunction::exp;
  expect_refused(c);
  c = good;
  c.output_pads = {1, 1};
  expect_refused(c);
  c = good;
  c.op = fb::OpKind::conv_transpose;
  c.pads = {4, 4, 4, 4};
  expect_refused(c);
}

}  // namespace
}  // namespace skiff::test
