#include <gtest/gtest.h>

#include "tests/support/closeness.h"
#include "tests/support/op_runner.h"
#include "tests/support/reference_activation.h"
#include "tests/support/reference_matmul.h"

namespace skiff::test {
namespace {

struct Case {
  Shape a, b;
  bool transpose_a = false, transpose_b = false;
  float scale = 1;
  bool constant = true, bias = false, residual = false;
  fb::UnaryFunction activation = fb::UnaryFunction::none;
};

struct Node {
  fb::MatMulAttrsT attributes;
  std::vector<TensorData> inputs;

  std::vector<const TensorData*> operands() const { return operands_of(inputs); }
};

Node node_of(const Case& c, unsigned seed) {
  Node node;
  node.attributes.transpose_a = c.transpose_a;
  node.attributes.transpose_b = c.transpose_b;
  node.attributes.scale = c.scale;
  node.attributes.activation = c.activation;
  node.inputs = {random_tensor(c.a, seed), random_tensor(c.b, seed + 1)};
  node.inputs[1].constant = c.constant;
  const Shape out = infer_op(fb::OpKind::matmul, node.attributes, node.operands())[0].shape;
  if (c.bias || c.residual)
    node.inputs.push_back(c.bias ? random_tensor(Shape{out.back()}, seed + 2) : TensorData());
  if (c.residual) node.inputs.push_back(random_tensor(out, seed + 3));
  return node;
}

struct Expected {
  std::vector<double> value, magnitude;
  Shape shape;
  std::int64_t k = 0;
};

/// Which matrix of an operand belongs to batch index `index` of the result, by counting upwards.
std::int64_t matrix_of(const Shape& operand, const Shape& batch, std::int64_t index) {
  std::int64_t matrix = 0, step = 1;
  for (int axis = batch.rank() - 1, own = operand.rank() - 3; axis >= 0; --axis, --own) {
    const std::int64_t at = index % batch[axis];
    index /= batch[axis];
    if (own < 0) continue;
    if (operand[own] != 1) matrix += at * step;
    step *= operand[own];
  }
  return matrix;
}

/// For operands of rank 2 and more.
Expected expected_of(const Case& c, const Node& node) {
  Expected e;
  const int ra = c.a.rank(), rb = c.b.rank();
  ReferenceMatMul p{};
  p.m = c.a[c.transpose_a ? ra - 1 : ra - 2];
  p.k = e.k = c.a[c.transpose_a ? ra - 2 : ra - 1];
  p.n = c.b[c.transpose_b ? rb - 2 : rb - 1];
  p.a_row = c.transpose_a ? 1 : p.k, p.a_column = c.transpose_a ? p.m : 1;
  p.b_row = c.transpose_b ? 1 : p.n, p.b_column = c.transpose_b ? p.k : 1;
  e.shape = infer_op(fb::OpKind::matmul, node.attributes, node.operands())[0].shape;
  const Shape batch(e.shape.extents().first(static_cast<std::size_t>(e.shape.rank() - 2)));
  const auto a = node.inputs[0].numbers(), b = node.inputs[1].numbers();
  for (std::int64_t i = 0; i < batch.elements(); ++i)
    reference_matmul(p, a.data() + matrix_of(c.a, batch, i) * p.m * p.k,
                     b.data() + matrix_of(c.b, batch, i) * p.k * p.n, e.value, e.magnitude);
  for (std::size_t i = 0; i < e.value.size(); ++i) {
    double& v = e.value[i];
    v *= static_cast<double>(c.scale);
    e.magnitude[i] *= std::abs(static_cast<double>(c.scale));
    if (c.bias) v += node.inputs[2].numbers()[i % static_cast<std::size_t>(p.n)];
    if (c.residual) v += node.inputs[3].numbers()[i];
    v = reference_activation(c.activation, v, 0, 0);
  }
  return e;
}

void check_case(const Case& c, unsigned seed = 1) {
  const Node node = node_of(c, seed);
  const Expected e = expected_of(c, node);
  for_each_table([&](const cpu::KernelTable& table) {
    const OpResult y =
        run_op(fb::OpKind::matmul, node.attributes, node.operands(), OpOptions{.table = &table});
    ASSERT_TRUE(y.status.ok());
    ASSERT_EQ(y[0].shape, e.shape);
    const double growth = 1.2 * (7 + std::sqrt(static_cast<double>(e.k))) * 0x1p-24;
    const auto values = y[0].values<float>();
    expect_close(values, e.value, [&](std::size_t i) { return growth * (e.magnitude[i] + 4); });
  });
}

TEST(MatMul, Shapes) {
  for (const bool constant : {true, false})
    for (std::int64_t m : {1, 2, 3, 7, 13, 14, 15, 49})
      for (std::int64_t n : {1, 15, 16, 17, 65, 255})
        for (std::int64_t k : {1, 17, 64})
          check_case({.a = {m, k}, .b = {k, n}, .constant = constant});
}

TEST(MatMul, Transposed) {
  for (const bool constant : {true, false})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (std::int64_t n : {5, 33}) {
          const std::int64_t m = 19, k = 70;
          check_case({.a = ta ? Shape{k, m} : Shape{m, k},
                      .b = tb ? Shape{n, k} : Shape{k, n},
                      .transpose_a = ta,
                      .transpose_b = tb,
                      .scale = 0.3f,
                      .constant = constant,
                      .bias = true});
        }
}

TEST(MatMul, Batches) {
  for (const bool constant : {true, false}) {
    check_case({.a = {3, 5, 8}, .b = {8, 20}, .constant = constant, .residual = true});
    check_case({.a = {5, 8}, .b = {3, 8, 20}, .constant = constant});
    check_case({.a = {2, 1, 5, 8}, .b = {3, 8, 20}, .constant = constant});
    check_case({.a = {2, 3, 5, 8}, .b = {2, 3, 8, 20}, .scale = 0.125f, .constant = constant});
    check_case({.a = {3, 5, 8}, .b = {1, 20, 8}, .transpose_b = true, .constant = constant});
    check_case({.a = {1, 8, 5}, .b = {4, 8, 6}, .transpose_a = true, .constant = constant});
    check_case({.a = {4, 8, 5}, .b = {8, 6}, .transpose_a = true, .constant = constant});
  }
}

TEST(MatMul, BiasResidualAndActivation) {
  check_case({.a = {9, 30},
              .b = {30, 50},
              .bias = true,
              .residual = true,
              .activation = fb::UnaryFunction::gelu_erf});
  check_case({.a = {9, 30}, .b = {30, 48}, .bias = true, .activation = fb::UnaryFunction::relu});
  check_case(
      {.a = {1, 3000}, .b = {3000, 70}, .bias = true, .activation = fb::UnaryFunction::sigmoid});
}

TEST(MatMul, LongSums) { check_case({.a = {20, 5000}, .b = {5000, 40}}); }

TEST(MatMul, Vectors) {
  const auto a = tensor<float>(Shape{2}, {1, 2});
  const auto b = tensor<float>(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  for_each_table([&](const cpu::KernelTable& table) {
    const OpOptions options{.table = &table};
    const fb::MatMulAttrsT none;
    const auto row = run_op(fb::OpKind::matmul, none, {a, constant(b)}, options);
    EXPECT_EQ(row[0].shape, (Shape{3}));
    EXPECT_EQ(row[0].numbers(), (std::vector<double>{9, 12, 15}));
    const auto c = tensor<float>(Shape{3}, {1, 0, -1});
    const auto column = run_op(fb::OpKind::matmul, none, {b, c}, options);
    EXPECT_EQ(column[0].shape, (Shape{2}));
    EXPECT_EQ(column[0].numbers(), (std::vector<double>{-2, -2}));
    const auto dot = run_op(fb::OpKind::matmul, none, {c, c}, options);
    EXPECT_EQ(dot[0].shape, Shape{});
    EXPECT_EQ(dot[0].numbers(), (std::vector<double>{2}));
  });
}

TEST(MatMul, NothingToSum) {
  const TensorData a = tensor_of(DType::float32, {2, 0}, {}),
                   b = tensor_of(DType::float32, {0, 3}, {});
  const auto y = run_op(fb::OpKind::matmul, fb::MatMulAttrsT{}, {a, b});
  EXPECT_EQ(y[0].numbers(), std::vector<double>(6));
}

TEST(MatMul, OtherTypes) {
  const Case c{.a = {2, 4, 9}, .b = {9, 7}, .bias = true};
  const Node node = node_of(c, 3);
  const Expected e = expected_of(c, node);
  for (const DType dtype : {DType::float64, DType::float16, DType::bfloat16}) {
    std::vector<TensorData> inputs;
    for (const TensorData& input : node.inputs)
      inputs.push_back(tensor_of(dtype, input.shape, input.numbers()));
    const auto y = run_op(fb::OpKind::matmul, node.attributes, inputs);
    expect_near(y[0], e.value, rounding(dtype), rounding(dtype, 16));
  }
}

TEST(MatMul, Integers) {
  const std::vector<double> numbers{1, -2, 3, -4, 5, -6};
  for (const DType dtype : {DType::int32, DType::int64}) {
    const TensorData a = tensor_of(dtype, {2, 3}, numbers), b = tensor_of(dtype, {3, 2}, numbers);
    const auto y = run_op(fb::OpKind::matmul, fb::MatMulAttrsT{}, {a, b});
    EXPECT_EQ(y[0].numbers(), (std::vector<double>{10, -12, -19, 24}));
  }
}

TEST(MatMul, HalfStoredWeights) {
  const Case c{.a = {6, 40}, .b = {40, 30}};
  Node node = node_of(c, 5);
  TensorData& b = node.inputs[1];
  const TensorData half = constant(tensor_of(DType::bfloat16, b.shape, b.numbers()));
  b = constant(tensor_of(DType::float32, b.shape, half.numbers()));
  const auto expected = run_op(fb::OpKind::matmul, node.attributes, node.inputs);
  b = half;
  EXPECT_EQ(run_op(fb::OpKind::matmul, node.attributes, node.inputs)[0].bytes, expected[0].bytes);
}

TEST(MatMul, HostileOperands) {
  const auto zeros = [](const Shape& shape) {
    return tensor_of(DType::float32, shape,
                     std::vector<double>(static_cast<std::size_t>(shape.elements())));
  };
  const auto refused = [&](std::vector<TensorData> inputs, fb::MatMulAttrsT attrs = {}) {
    expect_refused(fb::OpKind::matmul, attrs, inputs);
  };
  refused({zeros({2, 3}), zeros({2, 3})});
  refused({zeros({}), zeros({2, 3})});
  refused({zeros({2, 2, 3}), zeros({3, 3, 4})});
  refused({zeros({2, 3}), zeros({3, 4}), zeros({3})});
  refused({zeros({2, 3}), zeros({3, 4}), zeros({4}), zeros({4, 2})});
  refused({zeros({2, 3}), tensor_of(DType::float64, {3, 4}, std::vector<double>(12))});
  fb::MatMulAttrsT attrs;
  attrs.scale = std::nanf("");
  refused({zeros({2, 3}), zeros({3, 4})}, attrs);
  attrs.scale = 1;
  attrs.activation = fb::UnaryFunction::log;
  refused({zeros({2, 3}), zeros({3, 4})}, attrs);
}

}  // namespace
}  // namespace skiff::test
