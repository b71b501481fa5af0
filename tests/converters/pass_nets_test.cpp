#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "converters/convert.h"
#include "tests/converters/pass_support.h"

// Whole networks through importer and all passes: transposes left, and agreement with what another
// runtime computed (models/golden of the shared data, as its README defines agreement).
namespace skiff::testing {
namespace {

struct Net {
  const char* model;
  const char* golden;
  std::size_t transposes = 0;  // inside: the network's own, which move elements in any layout
};

std::filesystem::path data_folder() {
  const char* given = std::getenv("SKIFF_DATA");
  return given != nullptr ? given : std::filesystem::path(SKIFF_SOURCE_DIR) / ".." / "shared";
}

void expect_agreement(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  double error = 0, norm = 0, worst = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(actual[i] - expected[i]);
    error += difference * difference;
    norm += expected[i] * expected[i];
    worst = std::max(worst, difference);
    largest = std::max(largest, std::abs(expected[i]));
  }
  EXPECT_LE(std::sqrt(error / norm), 5e-4);
  EXPECT_LE(worst, 1e-3 * largest);
}

class Nets : public ::testing::TestWithParam<Net> {};

TEST_P(Nets, KeepTheirAnswersAndLoseTheirTransposes) {
  const auto folder = data_folder() / "models";
  const auto model = folder / GetParam().model;
  const auto golden_file = folder / "golden" / GetParam().golden;
  if (!std::filesystem::exists(model) || !std::filesystem::exists(golden_file))
    GTEST_SKIP() << "no " << model.string() << " (set SKIFF_DATA)";
  const npy::Archive golden = npy::load_npz(golden_file.string());
  convert::ConvertOptions options;
  options.check = true;
  npy::Archive inputs;
  for (const auto& [name, array] : golden)
    if (name.starts_with("in/")) {
      inputs.emplace(name.substr(3), array);
      options.import.shapes.emplace(name.substr(3), array.shape);
    }
  if (model.filename() == "supres.onnx") {
    options.import.from = {"input"};
    options.import.to = {"output"};
  }
  const auto converted = convert::convert_graph(model.string(), options, nullptr);
  EXPECT_EQ(inner_transposes(converted.graph), GetParam().transposes);
  const Graph computed = convert::compute(converted.graph, inputs);
  for (ValueId id : computed.outputs) {
    const npy::Array& array = golden.at("out/" + computed.value(id).name);
    const ir::Value expected{
        .name = "golden", .dtype = array.dtype, .shape = array.shape, .constant = array.bytes};
    expect_agreement(ir::numbers(computed.value(id)), ir::numbers(expected));
  }
}

constexpr Net kNets[] = {
    {"onnx/mnist.onnx", "mnist.nine.npz"},
    {"onnx/FastestDet.onnx", "FastestDet.people.npz"},
    {"onnx/version-RFB-320.onnx", "version-RFB-320.grace_hopper.npz"},
    {"onnx/supres.onnx", "supres.core.npz"},
    {"small/convnext_tiny.onnx", "convnext_tiny.random.npz"},
    {"small/detector_tiny.onnx", "detector_tiny.random.npz"},
    {"small/efficientnet_tiny.onnx", "efficientnet_tiny.random.npz"},
    {"small/misc_layers.onnx", "misc_layers.random.npz"},
    {"small/mobilenet_v2_025.onnx", "mobilenet_v2_025.random.npz"},
    {"small/mobilenet_v3_small_05.onnx", "mobilenet_v3_small_05.random.npz"},
    {"small/regnet_grouped.onnx", "regnet_grouped.random.npz"},
    {"small/resnet_bottleneck.onnx", "resnet_bottleneck.random.npz"},
    {"small/shufflenet_x05.onnx", "shufflenet_x05.random.npz", 7},  // its seven channel shuffles
    {"small/text_encoder.onnx", "text_encoder.random.npz", 8},      // heads of attention
    {"small/unet_tiny.onnx", "unet_tiny.random.npz"},
    {"small/vit_tiny.onnx", "vit_tiny.random.npz", 12},  // heads of attention
    {"tflite/face_detection_short_range.tflite", "face_detection_short_range.people.npz"},
    {"tflite/palm_detection_lite.tflite", "palm_detection_lite.people.npz"},
    {"tflite/hand_landmark_lite.tflite", "hand_landmark_lite.people.npz"},
    {"tflite/selfie_segmentation.tflite", "selfie_segmentation.people.npz"},
    {"tflite/pretrainedResnet.tflite", "pretrainedResnet.people.npz"},
    {"tflite/vww_96_float.tflite", "vww_96_float.people.npz"},
    {"tflite/ad01_fp32.tflite", "ad01_fp32.noise.npz"},
};

std::string name_of_net(const ::testing::TestParamInfo<Net>& info) {
  std::string name = std::filesystem::path(info.param.model).stem().string();
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Shared, Nets, ::testing::ValuesIn(kNets), name_of_net);

}  // namespace
}  // namespace skiff::testing
