#include <algorithm>

#include "runtime/cpu/float_mode.h"
#include "tests/support/chain_graphs.h"

// Numbers that float32 holds with fewer bits than 24 are zeros on the CPU: processors are slow with
// them, and networks that train long are full of them.
namespace skiff::test {
namespace {

constexpr std::int64_t kRows = 64, kColumns = 256;  // for more threads than one

/// Each x times a weight.
Graph weighted(float weight) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kRows, kColumns});
  const std::vector<float> weights(static_cast<std::size_t>(kColumns), weight);
  const ValueId w = g.add_constant<float>("w", Shape{kColumns}, weights);
  g.outputs = {binary(g, Binary::mul, x, w)};
  return g;
}

std::vector<float> result(const Graph& graph, float x, int threads) {
  const std::vector<std::byte> bytes = file_of(graph);
  Session session(Model::from_bytes(bytes), {.device = DeviceKind::cpu, .threads = threads});
  std::ranges::fill(session.input(0).values<float>(), x);
  EXPECT_TRUE(session.run().ok());
  const auto values = session.output(0).values<const float>();
  return {values.begin(), values.end()};
}

TEST(Subnormals, AreZerosAsOperandsAndAsResults) {
  for (const int threads : {1, 2}) {
    EXPECT_EQ(result(weighted(1e-39f), 1e30f, threads), std::vector<float>(kRows * kColumns, 0.0f));
    EXPECT_EQ(result(weighted(1e-20f), 1e-20f, threads),
              std::vector<float>(kRows * kColumns, 0.0f));
    EXPECT_EQ(result(weighted(0x1p-120f), 0x1p-6f, threads),
              std::vector<float>(kRows * kColumns, 0x1p-126f));  // the least that counts
  }
}

TEST(Subnormals, TheCallersModeIsKeptAndChangesNothing) {
  const cpu::FloatMode before = cpu::float_mode();
  EXPECT_EQ(result(weighted(1e-39f), 1e30f, 2)[0], 0.0f);
  EXPECT_EQ(cpu::float_mode() & cpu::kFlushSubnormals, before & cpu::kFlushSubnormals);
  {
    const cpu::FlushSubnormals flush;
    EXPECT_EQ(result(weighted(0x1p-120f), 0x1p-6f, 2)[0], 0x1p-126f);
    EXPECT_NE(cpu::float_mode() & cpu::kFlushSubnormals, 0u);
  }
  EXPECT_EQ(cpu::float_mode() & cpu::kFlushSubnormals, before & cpu::kFlushSubnormals);
}

}  // namespace
}  // namespace skiff::test
