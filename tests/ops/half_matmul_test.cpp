#include <gtest/gtest.h>

#include "tests/support/closeness.h"
#include "tests/support/half_sums.h"
#include "tests/support/reference_matmul.h"

// Matrix products that may be summed in float16; see half_product_test.cpp.
namespace skiff::test {
namespace {

struct MatMulCase {
  std::int64_t batch, m, k, n;
  bool transposed, bias, residual;
};

void check_half_matmul(const MatMulCase& c, unsigned seed) {
  fb::MatMulAttrsT attrs;
  attrs.transpose_b = c.transposed;
  const Shape out = c.batch > 1 ? Shape{c.batch, c.m, c.n} : Shape{c.m, c.n};
  std::vector<TensorData> inputs{
      random_tensor(c.batch > 1 ? Shape{c.batch, c.m, c.k} : Shape{c.m, c.k}, seed),
      stored_as_half(random_tensor(c.transposed ? Shape{c.n, c.k} : Shape{c.k, c.n}, seed + 1)),
      c.bias ? random_tensor(Shape{c.n}, seed + 2) : TensorData(),
      c.residual ? random_tensor(out, seed + 3) : TensorData()};
  const auto a = rounded_to_half(inputs[0]).numbers(), b = inputs[1].numbers();
  std::vector<double> value, magnitude;
  reference_matmul(
      {c.batch * c.m, c.k, c.n, c.k, 1, c.transposed ? 1 : c.n, c.transposed ? c.k : 1}, a.data(),
      b.data(), value, magnitude);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (c.bias) value[i] += inputs[2].numbers()[i % static_cast<std::size_t>(c.n)];
    if (c.residual) value[i] += inputs[3].numbers()[i];
  }
  for_each_table([&](const cpu::KernelTable& table) {
    const OpResult exact =
        run_op(fb::OpKind::matmul, attrs, operands_of(inputs), {.table = &table, .threads = 3});
    EXPECT_EQ(exact.algorithm, "product");
    attrs.sums = fb::DType::float16;
    const OpResult y =
        run_op(fb::OpKind::matmul, attrs, operands_of(inputs), {.table = &table, .threads = 3});
    attrs.sums = fb::DType::none;
    if (!adds_in_halves(table)) {
      EXPECT_EQ(y[0].bytes, exact[0].bytes);
      return;
    }
    EXPECT_EQ(y.algorithm, "half product");
    const auto values = y[0].values<float>();
    expect_close(values, value, [&](std::size_t i) {
      return half_sum_bound(static_cast<double>(c.k), magnitude[i]);
    });
    if (values.size() > 200) {
      EXPECT_LT(relative_l2(values, value), 1.2 * kHalfSumsL2);
    }
  });
}

TEST(HalfMatMul, Shapes) {
  unsigned seed = 1;
  for (const bool transposed : {false, true})
    for (const std::int64_t m : {1, 2, 7, 8, 15, 40})
      for (const std::int64_t k : {1, 7, 8, 33, 255})
        for (const std::int64_t n : {1, 3, 8, 17, 70}) {
          check_half_matmul({k == 8 ? 3 : 1, m, k, n, transposed, n != 8, n % 2 == 1}, seed);
          seed += 4;
        }
  check_half_matmul({1, 3, 600, 1000, false, true, false}, seed);  // rows packed in parts
}

TEST(HalfMatMul, OtherFormsStayFloat32) {
  const TensorData a = random_tensor({4, 24}, 1), b = random_tensor({24, 16}, 2);
  fb::MatMulAttrsT plain, scaled, turned;
  plain.sums = scaled.sums = turned.sums = fb::DType::float16;
  scaled.scale = 0.5f;
  turned.transpose_a = true;
  const auto algorithm = [](const fb::MatMulAttrsT& attrs, const TensorData& x,
                            const TensorData& w) {
    const std::vector<const TensorData*> operands{&x, &w};
    return run_op(fb::OpKind::matmul, attrs, operands).algorithm;
  };
  EXPECT_EQ(algorithm(scaled, a, stored_as_half(b)), "product");
  EXPECT_EQ(algorithm(plain, a, constant(b)), "product");  // stored as float32
  EXPECT_EQ(algorithm(turned, random_tensor({24, 4}, 3), stored_as_half(b)), "product");
}

TEST(HalfMatMul, SumsInOtherTypesAreRefused) {
  for (const fb::DType sums : {fb::DType::float32, fb::DType::bfloat16, fb::DType::int32}) {
    fb::MatMulAttrsT product;
    product.sums = sums;
    expect_refused(fb::OpKind::matmul, product,
                   {random_tensor({4, 8}, 3), constant(random_tensor({8, 8}, 4))});
  }
}

}  // namespace
}  // namespace skiff::test
