#include "tests/cuda/onnx_networks.h"

#include <gtest/gtest.h>

#include <map>

// Are they the networks they are called? Their sizes are published.
namespace skiff::test {
namespace {

struct Published {
  std::int64_t parameters;  ///< 0: nobody counted them
  double billions;          ///< of products of weights
};

TEST(OnnxNetworks, AreAsLargeAsThosePublished) {
  const std::map<std::string, Published> published{
      {"resnet50", {25557032, 4.09}},        {"mobilenet_v2", {3504872, 0.301}},
      {"efficientnet_b0", {5288548, 0.386}}, {"yolo_like", {0, 4.35}},
      {"bert_base_128", {85054464, 10.87}},  {"vit_b_16", {86567656, 16.87}}};
  ASSERT_EQ(onnx_network_names().size(), published.size());
  for (const auto& [name, is] : published) {
    const OnnxNetwork network = onnx_network(name);
    if (is.parameters != 0) {
      EXPECT_EQ(network.parameters, is.parameters) << name;
    }
    EXPECT_NEAR(static_cast<double>(network.products) / 1e9, is.billions, 0.01 * is.billions)
        << name;
    const convert::Imported imported = network.onnx.import();
    EXPECT_EQ(imported.graph.outputs.size(), 1u) << name;
  }
}

}  // namespace
}  // namespace skiff::test
