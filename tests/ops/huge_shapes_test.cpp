#include <gtest/gtest.h>

#include <memory_resource>

#include "tests/support/op_runner.h"

// Shapes that a file may declare and no machine can run: rule and kernel must not overflow, so that
// it is the memory budget that refuses them, with a number that is right. Run under UBSan.
namespace skiff::test {
namespace {

struct Bound {
  std::size_t workspace = 0;
  std::int64_t flops = 0;
};

Bound bind(fb::OpKind op, const Attributes& attributes, const std::vector<Shape>& shapes,
           const cpu::KernelTable& table) {
  std::vector<TensorInfo> inputs(shapes.size());
  std::vector<const TensorInfo*> pointers;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    inputs[i].dtype = DType::float32;
    inputs[i].shape = shapes[i];
    pointers.push_back(&inputs[i]);
  }
  NodeView node;
  node.op = op;
  node.attributes = attributes.table();
  node.inputs = pointers;
  node.name = "huge";
  std::vector<TensorInfo> outputs(1);
  infer_outputs(node, attributes.type, outputs);
  std::pmr::monotonic_buffer_resource memory;
  const KernelPtr kernel = find_op(op)->make_cpu(KernelSpec{node, outputs, table, 2, memory});
  return {kernel->workspace_bytes(), kernel->flops()};
}

constexpr std::int64_t kBig = std::int64_t{1} << 20;

TEST(HugeShapes, BindWithoutOverflow) {
  for_each_table([](const cpu::KernelTable& table) {
    const Bound product =
        bind(fb::OpKind::matmul, fb::MatMulAttrsT{}, {{kBig, kBig}, {kBig, kBig}}, table);
    EXPECT_EQ(product.flops, 2 * kBig * kBig * kBig);
    EXPECT_EQ(product.workspace, static_cast<std::size_t>(4 * kBig * kBig));
    const Bound wide =
        bind(fb::OpKind::matmul, fb::MatMulAttrsT{},
             {{16, 1 << 4, 16 * kBig * kBig / 256}, {16 * kBig * kBig / 256, 1}}, table);
    EXPECT_GT(wide.flops, 0);

    fb::ConvAttrsT conv;
    EXPECT_GT(bind(fb::OpKind::conv, conv, {{1, kBig, kBig, 1}, {1, kBig, kBig, 1}}, table).flops,
              0);
    EXPECT_GT(bind(fb::OpKind::conv, conv, {{16, kBig, 1, kBig / 2}, {kBig, 1, 1, kBig / 2}}, table)
                  .flops,
              0);
    conv.pads = {0, 1 << 19, 0, 1 << 19};
    EXPECT_GT(bind(fb::OpKind::conv, conv, {{4, kBig, kBig, 3}, {2, 3, 3, 3}}, table).flops, 0);
    conv.pads = {};
    conv.groups = 1 << 10;
    EXPECT_GT(bind(fb::OpKind::conv, conv,
                   {{1, kBig, 1 << 12, 1 << 10}, {1 << 10, 1 << 19, 1 << 11, 1}}, table)
                  .flops,
              0);

    fb::PoolAttrsT pool;
    pool.kernel = {kBig, kBig};
    pool.function = fb::PoolFunction::average;
    pool.pads = {kBig, kBig, kBig, kBig};
    bind(fb::OpKind::pool, pool, {{1, kBig, kBig, 1}}, table);
  });
}

TEST(HugeShapes, ResultsBeyondAnyTensorAreRefused) {
  const cpu::KernelTable& table = *cpu::available_tables().front();
  EXPECT_THROW(bind(fb::OpKind::matmul, fb::MatMulAttrsT{}, {{kBig * kBig, 1}, {1, kBig}}, table),
               Error);
  fb::ConvAttrsT conv;
  conv.pads = {1 << 27, 1 << 27, 1 << 27, 1 << 27};
  EXPECT_THROW(bind(fb::OpKind::conv, conv, {{1, 1, 1, 1}, {1, 1, 1, 1}}, table), Error);
}

}  // namespace
}  // namespace skiff::test
