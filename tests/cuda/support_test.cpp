#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <fstream>
#include <sstream>
#include <tuple>

#include "runtime/model_impl.h"
#include "runtime/ops/conv_cudnn.h"
#include "tests/cuda/described_device.h"
#include "tests/cuda/support_plans.h"
#include "tests/runtime/networks.h"
#include "tests/support/shared_data.h"

// What the real cuDNN offers for the convolutions of real networks, asked without a GPU: by
// descriptions of devices. The graphs are those the module builds.
namespace skiff::cuda {
namespace {

using test::Network;

/// The convolutions of a network that go to cuDNN.
std::vector<ConvPlan> convolutions(const skiff::Graph& graph) {
  std::vector<ConvPlan> plans;
  std::pmr::monotonic_buffer_resource memory;
  for (const GraphNode& node : graph.nodes) {
    if (node.def->op != fb::OpKind::conv) continue;
    ConvPlan plan = read_conv(view_of(graph, node, memory));
    const ConvGeometry& g = plan.geometry;
    if (g.groups == g.cin && g.groups == g.cout) continue;
    plans.push_back(plan);
  }
  return plans;
}

/// Of all networks that are there; left in a file for those who ask another cuDNN.
const NetworkPlans& all_plans() {
  static const NetworkPlans plans = [] {
    NetworkPlans found;
    for (const Network& network : test::networks()) {
      const auto files = test::golden_files(network);
      if (files.empty()) continue;
      const Model model =
          Model::from_bytes(test::converted(network, npy::load_npz(files.front().string())));
      found[network.label()] = convolutions(model.impl()->verified.graph());
    }
    std::ofstream file(SKIFF_CONVOLUTIONS);
    write_plans(file, found);
    return found;
  }();
  return plans;
}

class Support : public ::testing::TestWithParam<std::tuple<DescribedDevice, DType>> {};

TEST_P(Support, EveryConvolutionHasAnEngine) {
  const auto& [device, dtype] = GetParam();
  if (all_plans().empty()) GTEST_SKIP() << "no shared data (set SKIFF_DATA)";
  const int slow = print_support(device.name, DescribedTarget(device), dtype, all_plans());
  EXPECT_EQ(slow, 0) << "convolutions have only the slow kernel for everything";
}

TEST(Plans, AreReadAsTheyWereWritten) {
  std::stringstream text, again;
  write_plans(text, all_plans());
  write_plans(again, read_plans(text));
  EXPECT_EQ(again.str(), text.str());
}

INSTANTIATE_TEST_SUITE_P(Devices, Support,
                         ::testing::Combine(::testing::Values(kOrin, kA100, kH100),
                                            ::testing::Values(DType::float32, DType::float16,
                                                              DType::bfloat16)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) + "_" +
                                  name_of(std::get<1>(tested.param));
                         });

}  // namespace
}  // namespace skiff::cuda
