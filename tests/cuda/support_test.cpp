#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <fstream>
#include <sstream>
#include <tuple>

#include "converters/convert.h"
#include "runtime/model_impl.h"
#include "runtime/ops/conv_cudnn.h"
#include "tests/cuda/described_device.h"
#include "tests/cuda/support_plans.h"
#include "tests/runtime/networks.h"
#include "tests/support/thorough.h"

// What the real cuDNN offers for the convolutions of real networks, asked without a GPU: by
// descriptions of devices. The graphs are those the module builds. It builds no others: products
// are cuBLASLt's, which cannot be asked so, all else our own kernels'.
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
    for (const auto& path : test::light_networks()) {
      if (!test::thorough()) break;  // VGG-19 has 550 MB of weights
      const auto bytes = convert::convert_file(path.string(), {});
      const Model model = Model::from_bytes(bytes);
      found[path.stem().string()] = convolutions(model.impl()->verified.graph());
    }
    std::ofstream file(SKIFF_CONVOLUTIONS);
    write_plans(file, found);
    return found;
  }();
  return plans;
}

class Surface : public ::testing::TestWithParam<std::tuple<DescribedDevice, Arithmetic>> {};

TEST_P(Surface, EveryConvolutionHasAnEngine) {
  const auto& [device, arithmetic] = GetParam();
  if (all_plans().empty()) GTEST_SKIP() << "no shared data (set SKIFF_DATA)";
  const Support found =
      print_support(device.name, DescribedTarget(device), arithmetic, all_plans());
  EXPECT_EQ(found.slow, 0) << "convolutions have only the slow kernel for everything";
  EXPECT_EQ(found.left_out, 0) << "16-bit convolutions are not on tensor cores";
  if (arithmetic.dtype == DType::float32 && !arithmetic.tf32) {
    EXPECT_EQ(found.tensor_cores, 0) << "float32 is rounded";
  } else {
    EXPECT_GT(found.tensor_cores + found.own, 0);
  }
}

TEST(Plans, AreReadAsTheyWereWritten) {
  std::stringstream text, again;
  write_plans(text, all_plans());
  write_plans(again, read_plans(text));
  EXPECT_EQ(again.str(), text.str());
}

INSTANTIATE_TEST_SUITE_P(Devices, Surface,
                         ::testing::Combine(::testing::Values(kOrin, kA100, kH100),
                                            ::testing::ValuesIn(kArithmetics)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) + "_" +
                                  std::get<1>(tested.param).name;
                         });

}  // namespace
}  // namespace skiff::cuda
