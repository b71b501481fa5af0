#include "tests/cli/tools.h"
#include "tests/support/shared_data.h"

// Whole networks, converted, planned and run, against what other runtimes computed (models/golden
// of the shared folder): on every instruction set of this machine, the best one also with two
// threads.
// Left out: ch_PP-OCRv4_det_infer, whose expected outputs (about 1e-7 everywhere) are rounded by
// the other runtime's sigmoid, and pose_landmark_lite.noise, for one output of the same kind.
namespace skiff::test {
namespace {

struct Network {
  const char* model;   ///< beneath models/
  const char* golden;  ///< begin of the golden files' names
  const char* flags = "";
};

constexpr Network kNetworks[] = {
    {"onnx/FastestDet.onnx", "FastestDet."},
    {"onnx/mnist.onnx", "mnist."},
    {"onnx/version-RFB-320.onnx", "version-RFB-320."},
    {"onnx/supres.onnx", "supres.core", "--from input --to output --shape input=1x1x224x224"},
    {"onnx/ch_PP-OCRv4_rec_infer.onnx", "ch_PP-OCRv4_rec_infer.48x160", "--shape x=1x3x48x160"},
    {"onnx/ch_ppocr_mobile_v2.0_cls_infer.onnx", "ch_ppocr_mobile_v2.0_cls_infer.48x192",
     "--shape x=1x3x48x192"},
    {"tflite/ad01_fp32.tflite", "ad01_fp32."},
    {"tflite/face_detection_short_range.tflite", "face_detection_short_range."},
    {"tflite/hand_landmark_lite.tflite", "hand_landmark_lite."},
    {"tflite/palm_detection_lite.tflite", "palm_detection_lite."},
    {"tflite/pose_landmark_lite.tflite", "pose_landmark_lite.cat"},
    {"tflite/pose_landmark_lite.tflite", "pose_landmark_lite.people"},
    {"tflite/pretrainedResnet.tflite", "pretrainedResnet."},
    {"tflite/selfie_segmentation.tflite", "selfie_segmentation."},
    {"tflite/trained_lstm.tflite", "trained_lstm."},
    {"tflite/vww_96_float.tflite", "vww_96_float."},
    {"small/convnext_tiny.onnx", "convnext_tiny."},
    {"small/detector_tiny.onnx", "detector_tiny."},
    {"small/efficientnet_tiny.onnx", "efficientnet_tiny."},
    {"small/misc_layers.onnx", "misc_layers."},
    {"small/mobilenet_v2_025.onnx", "mobilenet_v2_025."},
    {"small/mobilenet_v3_small_05.onnx", "mobilenet_v3_small_05."},
    {"small/regnet_grouped.onnx", "regnet_grouped."},
    {"small/resnet_bottleneck.onnx", "resnet_bottleneck."},
    {"small/shufflenet_x05.onnx", "shufflenet_x05."},
    {"small/text_encoder.onnx", "text_encoder."},
    {"small/unet_tiny.onnx", "unet_tiny."},
    {"small/vit_tiny.onnx", "vit_tiny."},
};

class GoldenNetwork : public testing::TestWithParam<Network> {};

void expect_verified(const std::string& arguments) {
  const Said said = skiff("verify " + arguments);
  EXPECT_EQ(said.code, 0) << arguments << "\n" << said.text;
}

TEST_P(GoldenNetwork, IsRightOnEveryInstructionSet) {
  const Network& network = GetParam();
  const auto files = golden_files(network.model, network.golden);
  if (files.empty()) GTEST_SKIP() << "no shared data for " << network.model << " (set SKIFF_DATA)";
  const ScratchFolder scratch;
  const std::string model = scratch / "model.skiff";
  const auto isas = skiff_json("doctor", scratch)["isas"];
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.filename().string());
    const Said converted =
        skiff_convert((shared_data() / "models" / network.model).string() + " -o " + model +
                      " --golden " + file.string() + " " + network.flags);
    ASSERT_EQ(converted.code, 0) << converted.text;
    expect_verified(model + " --threads=2");
    for (const auto& isa : isas) expect_verified(model + " --isa=" + isa.get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, GoldenNetwork, testing::ValuesIn(kNetworks),
                         [](const auto& tested) { return test_label(tested.param.golden); });

}  // namespace
}  // namespace skiff::test
