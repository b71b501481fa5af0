#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>

#include "gpu.h"
#include "tests/runtime/networks.h"
#include "tests/support/agreement.h"
#include "tests/support/shared_data.h"
#include "tests/support/thorough.h"

// Real networks on the GPU's whole path: kernels, libraries, memory plan, captured graph. The
// doubles compute what a GPU would; the answers must be those of other runtimes.
namespace skiff::test {
namespace {

void set_inputs(Session& session, const npy::Archive& golden) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    const npy::Array& array = golden.at("in/" + std::string(input.name()));
    ASSERT_EQ(array.bytes.size(), input.bytes().size());
    std::memcpy(input.bytes().data(), array.bytes.data(), array.bytes.size());
  }
}

void expect_golden(const Session& session, const npy::Archive& golden, const Network& network) {
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const Tensor output = session.output(i);
    const auto numbers = output.values<const float>();
    expect_agreement({numbers.begin(), numbers.end()},
                     numbers_of(golden.at("out/" + std::string(output.name()))),
                     std::string(output.name()), network.relative_l2, network.floor);
  }
}

/// Variables lie with the CPU, whose steps fetch and keep them.
bool of_variable(const StepInfo& step) {
  return step.op == std::string_view("read_variable") ||
         step.op == std::string_view("assign_variable");
}

/// Steps that run on the CPU, for those nets that have any.
std::string steps_on_cpu(const Session& session) {
  std::string text;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    if (const StepInfo step = session.step(i); step.device == DeviceKind::cpu && !of_variable(step))
      text += std::string(step.op) + " '" + std::string(step.name) +
              "': " + std::string(step.why_cpu) + "\n";
  return text;
}

bool is_small(const Network& network) {
  return std::string_view(network.model).starts_with("small/");
}

/// Every network once, at the fixed sizes of its first golden file; in 16 bits the small ones
/// alone, unless there is time for more.
std::vector<Network> fixed_networks(DType precision) {
  std::vector<Network> fixed;
  for (Network network : networks_as(precision, Narrow::layers)) {
    if (precision != DType::none && !thorough() && !is_small(network)) continue;
    network.dyn.clear();
    if (std::ranges::none_of(fixed, [&](const Network& other) {
          return std::string(other.golden) == network.golden;
        }))
      fixed.push_back(network);
  }
  return fixed;
}

/// A network with the golden cases it has; converted at the sizes of the first, unless they are
/// open.
class NetTest : public ::testing::TestWithParam<Network> {
 protected:
  void SetUp() override {
    for (const auto& file : golden_files(GetParam())) cases.push_back(npy::load_npz(file.string()));
    if (cases.empty())
      GTEST_SKIP() << "no shared data for " << GetParam().model << " (set SKIFF_DATA)";
    model.emplace(Model::from_bytes(converted(GetParam(), cases.front())));
  }

  const WithGpu gpu;
  std::vector<npy::Archive> cases;
  std::optional<Model> model;
};

class GpuNets : public NetTest {};

TEST_P(GpuNets, AgreeWithAnotherRuntime) {
  const Network& network = GetParam();
  const npy::Archive& golden = cases.front();
  const SessionOptions options{.device = DeviceKind::cuda};
  const MemoryReport predicted = Session::predict(*model, options);
  const std::size_t before = cuda_double_live_bytes();
  Session session(*model, options);
  ASSERT_EQ(session.device(), DeviceKind::cuda);
  EXPECT_EQ(steps_on_cpu(session), "");

  // All that lies in the GPU's and in pinned memory is weights, arena and io.
  const MemoryReport& memory = session.memory();
  EXPECT_EQ(predicted.total, memory.total);
  EXPECT_EQ(cuda_double_live_bytes() - before, memory.weights + memory.arena + memory.io);
  EXPECT_GE(memory.arena, memory.arena_lower_bound);

  ASSERT_NO_FATAL_FAILURE(set_inputs(session, golden));
  const long allocations = cuda_double_allocations(), objects = cuda_double_objects();
  const long launches = cuda_double_graph_launches(), waits = cuda_double_waits();
  ASSERT_TRUE(session.run().ok()) << cuda_double_complaints();
  expect_golden(session, golden, network);
  EXPECT_EQ(cuda_double_allocations(), allocations);
  EXPECT_EQ(cuda_double_objects(), objects);
  EXPECT_EQ(cuda_double_graph_launches() - launches, 1);
  EXPECT_EQ(cuda_double_waits() - waits, 1);
}

/// TF32 has the fraction of float16: it may cost no more.
std::vector<Network> rounded_networks() {
  std::vector<Network> rounded = fixed_networks(DType::float16);
  std::erase_if(rounded, std::not_fn(is_small));
  for (Network& network : rounded) network.precision = DType::none;
  return rounded;
}

class Tf32Nets : public NetTest {};

TEST_P(Tf32Nets, LoseNoMoreThanFloat16) {
  const Network& network = GetParam();
  const npy::Archive& golden = cases.front();
  Session session(*model, {.device = DeviceKind::cuda, .tf32 = true});
  ASSERT_NO_FATAL_FAILURE(set_inputs(session, golden));
  ASSERT_TRUE(session.run().ok()) << cuda_double_complaints();
  expect_golden(session, golden, network);
  bool any = false;
  for (std::size_t i = 0; i < session.step_count(); ++i) any |= session.step(i).tensor_cores;
  EXPECT_TRUE(any) << "nothing is on tensor cores";
}

/// The shapes of a golden case.
std::vector<InputShape> shapes_of(const Session& session, const npy::Archive& golden) {
  std::vector<InputShape> shapes;
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const std::string_view name = session.input(i).name();
    shapes.push_back({name, golden.at("in/" + std::string(name)).shape});
  }
  return shapes;
}

class OpenSizes : public NetTest {};

/// Each golden case at its sizes, in one session.
TEST_P(OpenSizes, AgreeOnceTheyArePrepared) {
  const Network& network = GetParam();
  const SessionOptions options{.device = DeviceKind::cuda};
  const std::size_t before = cuda_double_live_bytes();
  Session session(*model, options);
  ASSERT_EQ(session.device(), DeviceKind::cuda);
  EXPECT_EQ(steps_on_cpu(session), "");
  const MemoryReport first = session.memory();
  EXPECT_EQ(Session::predict(*model, options).total, first.total);
  EXPECT_EQ(cuda_double_live_bytes() - before, first.weights + first.arena + first.io);

  for (const npy::Archive& golden : cases) session.prepare(shapes_of(session, golden));
  const MemoryReport& now = session.memory();
  EXPECT_EQ(now.arena, first.arena);
  EXPECT_LE(cuda_double_live_bytes() - before, first.weights + now.arena + now.io + now.other);
  const long allocations = cuda_double_allocations(), objects = cuda_double_objects();
  for (const npy::Archive& golden : cases) {
    const auto shapes = shapes_of(session, golden);
    const Status resized = session.resize(shapes);
    ASSERT_TRUE(resized.ok()) << resized.message();
    ASSERT_NO_FATAL_FAILURE(set_inputs(session, golden));
    const long launches = cuda_double_graph_launches();
    ASSERT_TRUE(session.run().ok()) << cuda_double_complaints();
    EXPECT_EQ(cuda_double_graph_launches() - launches, 1);
    expect_golden(session, golden, network);
  }
  EXPECT_EQ(cuda_double_allocations(), allocations);
  EXPECT_EQ(cuda_double_objects(), objects);
}

INSTANTIATE_TEST_SUITE_P(Networks, OpenSizes, ::testing::ValuesIn(open_networks()),
                         [](const auto& tested) { return test_label(tested.param.label()); });
std::string label_of(const ::testing::TestParamInfo<Network>& tested) {
  return test_label(tested.param.label());
}
INSTANTIATE_TEST_SUITE_P(Networks, GpuNets, ::testing::ValuesIn(fixed_networks(DType::none)),
                         label_of);
INSTANTIATE_TEST_SUITE_P(Float16, GpuNets, ::testing::ValuesIn(fixed_networks(DType::float16)),
                         label_of);
INSTANTIATE_TEST_SUITE_P(Tf32, Tf32Nets, ::testing::ValuesIn(rounded_networks()), label_of);
INSTANTIATE_TEST_SUITE_P(BFloat16, GpuNets, ::testing::ValuesIn(fixed_networks(DType::bfloat16)),
                         label_of);

}  // namespace
}  // namespace skiff::test
