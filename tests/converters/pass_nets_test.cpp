#include <gtest/gtest.h>

#include <filesystem>

#include "converters/convert.h"
#include "tests/converters/pass_support.h"
#include "tests/support/agreement.h"
#include "tests/support/sanitized.h"
#include "tests/support/shared_data.h"

// Whole networks through importer and all passes: transposes left, and agreement with what another
// runtime computed (models/golden of the shared data, as its README defines agreement).
namespace skiff::testing {
namespace {

struct Net {
  const char* model;
  const char* golden;
  std::size_t transposes = 0;  // inside: the network's own, which move elements in any layout
  double floor = 0;            // absolute error of the other runtime, not held against this one
};

class Nets : public ::testing::TestWithParam<Net> {};

TEST_P(Nets, KeepTheirAnswersAndLoseTheirTransposes) {
  const auto folder = test::shared_data() / "models";
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
    const std::string& name = computed.value(id).name;
    test::expect_agreement(ir::numbers(computed.value(id)),
                           test::numbers_of(golden.at("out/" + name)), name, 5e-4,
                           GetParam().floor);
  }
}

/// ONNX's nine networks with constant weights: their answers say nothing, their layout does.
class LightNets : public ::testing::TestWithParam<const char*> {};

TEST_P(LightNets, LoseTheirTransposes) {
  const auto model = test::shared_data() / "conformance/onnx-1.22.0/light" /
                     ("light_" + std::string(GetParam()) + ".onnx");
  if (!std::filesystem::exists(model))
    GTEST_SKIP() << "no " << model.string() << " (set SKIFF_DATA)";
  const auto converted = convert::convert_graph(model.string(), {}, nullptr);
  // Channel shuffles move elements in any layout.
  const std::size_t own = std::string_view(GetParam()) == "shufflenet" ? 16 : 0;
  EXPECT_EQ(inner_transposes(converted.graph), own);
}

// By size, up to 550 MB of weights: too much for sanitizers.
constexpr const char* kLight[] = {"squeezenet",   "shufflenet",   "inception_v1",
                                  "densenet121",  "inception_v2", "resnet50",
                                  "bvlc_alexnet", "zfnet512",     "vgg19"};
INSTANTIATE_TEST_SUITE_P(Shared, LightNets,
                         ::testing::ValuesIn(kLight, kLight + (test::kSanitized ? 3 : 9)));

constexpr Net kNets[] = {
    {"onnx/mnist.onnx", "mnist.nine.npz"},
    {"onnx/FastestDet.onnx", "FastestDet.people.npz"},
    {"onnx/version-RFB-320.onnx", "version-RFB-320.grace_hopper.npz"},
    {"onnx/supres.onnx", "supres.core.npz"},
    // All probabilities below 3e-5; that runtime's sigmoid is right to 2^-23 of 1 only.
    {"onnx/ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_det_infer.320x320.npz", 0, 0x1p-23},
    {"onnx/ch_PP-OCRv4_rec_infer.onnx", "ch_PP-OCRv4_rec_infer.48x160.npz"},
    {"onnx/ch_ppocr_mobile_v2.0_cls_infer.onnx", "ch_ppocr_mobile_v2.0_cls_infer.48x192.npz"},
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
    {"tflite/pose_landmark_lite.tflite", "pose_landmark_lite.people.npz"},
    {"tflite/selfie_segmentation.tflite", "selfie_segmentation.people.npz"},
    {"tflite/pretrainedResnet.tflite", "pretrainedResnet.people.npz"},
    {"tflite/vww_96_float.tflite", "vww_96_float.people.npz"},
    {"tflite/ad01_fp32.tflite", "ad01_fp32.noise.npz"},
};

INSTANTIATE_TEST_SUITE_P(Shared, Nets, ::testing::ValuesIn(kNets), [](const auto& tested) {
  return test::test_label(std::filesystem::path(tested.param.model).stem().string());
});

}  // namespace
}  // namespace skiff::testing
