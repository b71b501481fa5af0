#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <random>

#include "converters/dynamic/dynamic.h"
#include "converters/ir/counts.h"
#include "converters/writer.h"
#include "gpu.h"
#include "tests/support/skiff_file.h"

// Results that a GPU counts: their real shapes after a run, and what the CPU makes of them.
namespace skiff::test {
namespace {

constexpr SessionOptions kOnGpu{.device = DeviceKind::cuda};
constexpr SessionOptions kOnCpu{.device = DeviceKind::cpu};

/// The best of `count` boxes in two classes by scores that are negated first; and with `rest` what
/// follows from them: as floats, times their own number.
ir::Graph best_boxes(std::int64_t count, int assumption, bool rest) {
  ir::Graph g;
  g.assumption = assumption;
  const ir::ValueId boxes = g.add_input("boxes", DType::float32, {1, count, 4});
  const ir::ValueId scores = g.add_input("scores", DType::float32, {1, 2, count});
  fb::UnaryAttrsT negate;
  negate.function = fb::UnaryFunction::neg;
  const ir::ValueId negated = g.add(fb::OpKind::unary, negate, {scores}, "negated");
  fb::NmsAttrsT best;
  best.max_output_boxes_per_class = 20;
  best.iou_threshold = 0.5f;
  best.score_threshold = 0.0f;
  best.has_score_threshold = true;
  const ir::NodeId kept =
      g.add_node(fb::OpKind::non_max_suppression, best, {boxes, negated}, "kept");
  ir::assume_count(g, kept);
  g.outputs = {g.node(kept).outputs[0]};
  if (!rest) return g;
  fb::CastAttrsT real;
  real.to = fb::DType::float32;
  const ir::ValueId floats = g.add(fb::OpKind::cast, real, {g.outputs[0]}, "floats");
  fb::ReduceAttrsT sum;
  sum.function = fb::ReduceFunction::sum;
  sum.axes = {0};
  g.outputs.push_back(g.add(fb::OpKind::reduce, sum, {floats}, "sum"));
  return g;
}

std::vector<std::byte> fixed_file(bool rest) {
  return convert::write_model(
      dynamic::generalise(
          {{"boxes", {{1, {}}, {8, {}}, {4, {}}}}, {"scores", {{1, {}}, {2, {}}, {8, {}}}}}, {}, {},
          [&](const dynamic::Sizes& sizes) { return best_boxes(8, sizes.assumption, rest); },
          [](const ir::Graph&) {}),
      {});
}

std::vector<std::byte> open_file() {
  return convert::write_model(
      dynamic::generalise(
          {{"boxes", {{1, {}}, {-1, "n"}, {4, {}}}}, {"scores", {{1, {}}, {2, {}}, {-1, "n"}}}}, {},
          {{"n", 2, 8, 40, 1}},
          [](const dynamic::Sizes& sizes) {
            return best_boxes(sizes.shapes.at("boxes")[1], sizes.assumption, true);
          },
          [](const ir::Graph&) {}),
      {});
}

/// About as many of ten scores are taken as `taken` says.
void fill(Session& session, unsigned seed, unsigned taken) {
  std::mt19937 random(seed);
  for (float& x : session.input(0).values<float>()) x = static_cast<float>(random() % 64) / 8;
  for (float& x : session.input(1).values<float>())
    x = static_cast<float>(random() % 100) / 100 * (random() % 10 < taken ? -1.0f : 1.0f);
}

void expect_same(Session& session, Session& cpu) {
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    EXPECT_EQ(session.output(i).shape(), cpu.output(i).shape()) << i;
    EXPECT_TRUE(std::ranges::equal(session.output(i).bytes(), cpu.output(i).bytes())) << i;
  }
}

/// Both on the same numbers, of which more and fewer pass.
void expect_same_for_any_count(Session& session, Session& cpu) {
  bool differs = false;
  const Shape first = session.output(0).shape();
  for (unsigned taken : {10u, 0u, 3u, 10u, 1u, 5u, 0u, 0u, 7u}) {
    SCOPED_TRACE(taken);
    fill(session, 3 + taken, taken);
    fill(cpu, 3 + taken, taken);
    ASSERT_TRUE(session.run().ok()) << cuda_double_complaints();
    ASSERT_TRUE(cpu.run().ok());
    expect_same(session, cpu);
    if (taken % 10 == 0) {
      EXPECT_EQ(session.output(0).shape()[0] == 0, taken == 0);
    }
    differs = differs || session.output(0).shape() != first;
  }
  EXPECT_TRUE(differs);
}

StepInfo step_named(const Session& session, std::string_view name) {
  for (std::size_t i = 0; i < session.step_count(); ++i)
    if (session.step(i).name == name) return session.step(i);
  ADD_FAILURE() << "no step " << name;
  return {};
}

TEST(CountsOnGpu, ItCountsAndTheCpuFollows) {
  for (int integrated : {0, 1}) {
    SCOPED_TRACE(integrated);
    const WithGpu gpu;
    cuda_double_device device = WithGpu::kOrin;
    device.integrated = integrated;
    cuda_double_set_device(&device);
    const std::vector<std::byte> file = fixed_file(true);
    const Model model = Model::from_bytes(file);
    Session session(model, kOnGpu), cpu(model, kOnCpu);
    EXPECT_EQ(Session::predict(model, kOnGpu).total, session.memory().total);
    EXPECT_EQ(step_named(session, "kept").device, DeviceKind::cuda);
    EXPECT_EQ(step_named(session, "floats").device, DeviceKind::cpu);
    EXPECT_EQ(step_named(session, "floats").why_cpu, "its sizes depend on data");
    EXPECT_EQ(session.output(0).shape(), (Shape{16, 3}));
    const long allocations = cuda_double_allocations();
    expect_same_for_any_count(session, cpu);
    EXPECT_EQ(cuda_double_allocations(), allocations);
  }
}

TEST(CountsOnGpu, NothingIsLeftForTheCpu) {
  const WithGpu gpu;
  const std::vector<std::byte> file = fixed_file(false);
  const Model model = Model::from_bytes(file);
  Session session(model, {.device = DeviceKind::cuda, .strict_gpu = true}), cpu(model, kOnCpu);
  expect_same_for_any_count(session, cpu);
  const long launches = cuda_double_graph_launches();
  ASSERT_TRUE(session.run().ok());
  EXPECT_EQ(cuda_double_graph_launches() - launches, 1);
}

/// Whoever watches sees the shapes of this run, not of the one before.
TEST(CountsOnGpu, Watched) {
  const WithGpu gpu;
  const std::vector<std::byte> file = fixed_file(true);
  const Model model = Model::from_bytes(file);
  Session session(model, kOnGpu), cpu(model, kOnCpu);
  struct Watch {
    Session& session;
    Shape kept{};
    std::vector<std::int64_t> rows{};
  };
  for (unsigned taken : {2u, 10u, 0u, 6u}) {
    SCOPED_TRACE(taken);
    fill(session, taken, taken);
    fill(cpu, taken, taken);
    Watch watch{session};
    const Status status = session.run(
        [](void* context, std::size_t next) {
          auto& w = *static_cast<Watch*>(context);
          if (next == 0 || w.session.step(next - 1).name != "kept") return;
          const Tensor rows = w.session.step_output(next - 1, 0);
          w.kept = rows.shape();
          const auto numbers = rows.values<const std::int64_t>();
          w.rows.assign(numbers.begin(), numbers.end());
        },
        &watch);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_TRUE(cpu.run().ok());
    expect_same(session, cpu);
    EXPECT_EQ(watch.kept, cpu.output(0).shape());
    EXPECT_TRUE(std::ranges::equal(watch.rows, cpu.output(0).values<const std::int64_t>()));
  }
}

TEST(CountsOnGpu, WithInputsOfAnySize) {
  const WithGpu gpu;
  const std::vector<std::byte> file = open_file();
  const Model model = Model::from_bytes(file);
  Session session(model, kOnGpu), cpu(model, kOnCpu);
  EXPECT_EQ(step_named(session, "kept").device, DeviceKind::cuda);
  const auto sizes = [](std::int64_t n) {
    return std::vector<InputShape>{{"boxes", {1, n, 4}}, {"scores", {1, 2, n}}};
  };
  fill(session, 1, 1);
  ASSERT_TRUE(session.run().ok());  // few are counted when other sizes are prepared
  for (std::int64_t n : {40, 2, 13}) session.prepare(sizes(n));
  for (std::int64_t n : {40, 2, 8, 13, 40}) {
    SCOPED_TRACE(n);
    ASSERT_TRUE(session.resize(sizes(n)).ok());
    ASSERT_TRUE(cpu.resize(sizes(n)).ok());
    expect_same_for_any_count(session, cpu);
  }
}

/// A file may say that there are fewer than there can be: no more are written, and it is said.
/// Where host and GPU share memory, what kernels report lies behind the results.
TEST(CountsOnGpu, MoreThanTheFileHasRoomFor) {
  const WithGpu gpu;
  cuda_double_device device = WithGpu::kOrin;
  device.integrated = 1;
  cuda_double_set_device(&device);
  const std::vector<std::byte> file = with_metadata(
      fixed_file(false), [](fb::ModelT& m) { m.symbols[0]->opt = m.symbols[0]->max = 3; });
  const Model model = Model::from_bytes(file);
  Session session(model, kOnGpu), cpu(model, kOnCpu);
  ASSERT_EQ(session.output(0).shape(), (Shape{3, 3}));
  for (int round = 0; round < 2; ++round) {
    fill(session, 3, 10);
    const Status status = session.run();
    EXPECT_EQ(status.code(), ErrorCode::bad_value);
    EXPECT_NE(std::string(status.message()).find("'kept'"), std::string::npos) << status.message();
    fill(session, 3, 1);
    fill(cpu, 3, 1);
    ASSERT_TRUE(session.run().ok());
    ASSERT_TRUE(cpu.run().ok());
    expect_same(session, cpu);
  }
}

}  // namespace
}  // namespace skiff::test
