#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <cstdio>
#include <map>
#include <tuple>

#include "runtime/model_impl.h"
#include "runtime/ops/conv_cudnn.h"
#include "tests/cuda/described_device.h"
#include "tests/runtime/networks.h"
#include "tests/support/shared_data.h"

// What the real cuDNN offers for the convolutions of real networks, asked without a GPU: by
// descriptions of devices. The graphs are those the module builds.
namespace skiff::cuda {
namespace {

using test::Network;

/// The convolutions of a network that go to cuDNN.
std::vector<ConvPlan> convolutions(const skiff::Graph& graph, DType dtype) {
  std::vector<ConvPlan> plans;
  std::pmr::monotonic_buffer_resource memory;
  for (const GraphNode& node : graph.nodes) {
    if (node.def->op != fb::OpKind::conv) continue;
    ConvPlan plan = read_conv(view_of(graph, node, memory));
    const ConvGeometry& g = plan.geometry;
    if (g.groups == g.cin && g.groups == g.cout) continue;
    plan.dtype = dtype;
    plans.push_back(plan);
  }
  return plans;
}

struct Tally {
  int all = 0, sum = 0, none = 0, own = 0;
  void count(const std::optional<ConvEngine>& engine) {
    if (!engine)
      ++own;
    else
      ++(engine->graph.fusion == Fusion::all   ? all
         : engine->graph.fusion == Fusion::sum ? sum
                                               : none);
  }
};

class Support : public ::testing::TestWithParam<std::tuple<DescribedDevice, DType>> {};

TEST_P(Support, EveryConvolutionHasAnEngine) {
  const auto& [device, dtype] = GetParam();
  const DescribedTarget target(device);
  std::printf("%-8s %-8s %-28s  fused  +act  conv  own kernel\n", device.name, name_of(dtype), "");
  int asked = 0, own = 0;
  for (const Network& network : test::networks()) {
    const auto files = test::golden_files(network);
    if (files.empty()) continue;
    const Model model =
        Model::from_bytes(test::converted(network, npy::load_npz(files.front().string())));
    Tally tally;
    for (const ConvPlan& plan : convolutions(model.impl()->verified.graph(), dtype))
      tally.count(find_conv_engine(plan, target));
    std::printf("%-46s  %5d %5d %5d %5d\n", network.golden, tally.all, tally.sum, tally.none,
                tally.own);
    asked += tally.all + tally.sum + tally.none + tally.own;
    own += tally.own;
  }
  if (asked == 0) GTEST_SKIP() << "no shared data (set SKIFF_DATA)";
  EXPECT_EQ(own, 0) << "of " << asked << " convolutions have only the slow kernel for everything";
}

INSTANTIATE_TEST_SUITE_P(Devices, Support,
                         ::testing::Combine(::testing::Values(kOrin, kA100, kH100),
                                            ::testing::Values(DType::float32, DType::float16)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) + "_" +
                                  name_of(std::get<1>(tested.param));
                         });

}  // namespace
}  // namespace skiff::cuda
