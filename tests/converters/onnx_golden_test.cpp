#include <gtest/gtest.h>

#include <filesystem>

#include "converters/import.h"
#include "converters/ir/evaluate.h"
#include "tests/support/agreement.h"
#include "tests/support/shared_data.h"

// Whole networks against what another runtime computed (models/golden of the shared data), operator
// by operator as imported: no pass comes in between.
namespace skiff::convert {
namespace {

namespace fs = std::filesystem;

struct Case {
  const char* model;   ///< beneath models/
  const char* golden;  ///< begin of the golden files' names
  ImportOptions options = {};
  double floor = 0;  ///< absolute error of the other runtime, not held against this one
};

void run(const fs::path& model, const fs::path& file, ImportOptions options, double floor) {
  SCOPED_TRACE(file.filename().string());
  const npy::Archive golden = npy::load_npz(file.string());
  for (const auto& [name, array] : golden)
    if (name.starts_with("in/")) options.shapes[name.substr(3)] = array.shape;
  ir::Graph graph = import_onnx(model.string(), options).graph;
  for (ir::ValueId input : graph.inputs)
    graph.value(input).constant = golden.at("in/" + graph.value(input).name).bytes;
  for (ir::NodeId node : graph.order())
    ASSERT_TRUE(ir::evaluate(graph, node)) << graph.node(node).name;
  for (ir::ValueId output : graph.outputs) {
    const ir::Value& value = graph.value(output);
    const npy::Array& expected = golden.at("out/" + value.name);
    EXPECT_EQ(value.shape, expected.shape) << value.name;
    test::expect_agreement(ir::numbers(value), test::numbers_of(expected), value.name, 5e-4, floor);
  }
}

class OnnxGolden : public ::testing::TestWithParam<Case> {};

TEST_P(OnnxGolden, AgreesWithAnotherRuntime) {
  const Case& c = GetParam();
  const auto files = test::golden_files(c.model, c.golden);
  if (files.empty()) GTEST_SKIP() << "no shared data for " << c.model << " (set SKIFF_DATA)";
  for (const auto& file : files)
    run(test::shared_data() / "models" / c.model, file, c.options, c.floor);
}

/// Voice activity, step by step: stateN of one step is state of the next.
TEST(OnnxKnownAnswers, SileroStepsFollowTheirState) {
  const fs::path model = test::shared_data() / "models" / "onnx" / "silero_vad_v5.onnx";
  const fs::path file = test::shared_data() / "models" / "golden" / "silero_vad_v5.steps_yes.npz";
  if (!fs::exists(model) || !fs::exists(file))
    GTEST_SKIP() << "no " << model << " (set SKIFF_DATA)";
  const npy::Archive golden = npy::load_npz(file.string());
  const npy::Array& sound = golden.at("in/input");  // [steps, 1, samples]
  const std::int64_t rate = 16000;
  ImportOptions options;
  options.shapes = {{"input", {sound.shape[1], sound.shape[2]}},
                    {"state", {2, sound.shape[1], 128}}};
  options.bind["sr"] = ir::bytes_of(std::span(&rate, 1));
  const ir::Graph imported = import_onnx(model.string(), options).graph;
  const std::size_t step_bytes = sound.bytes.size() / static_cast<std::size_t>(sound.shape[0]);
  std::vector<std::byte> state(256 * sizeof(float));
  std::vector<double> answers;
  for (std::size_t at = 0; at < sound.bytes.size(); at += step_bytes) {
    ir::Graph graph = imported;
    const auto begin = sound.bytes.begin() + static_cast<std::ptrdiff_t>(at);
    for (ir::ValueId input : graph.inputs)
      graph.value(input).constant =
          graph.value(input).name == "state"
              ? state
              : std::vector<std::byte>(begin, begin + static_cast<std::ptrdiff_t>(step_bytes));
    for (ir::NodeId node : graph.order()) ASSERT_TRUE(ir::evaluate(graph, node));
    answers.push_back(ir::numbers(graph.value(graph.outputs.at(0))).at(0));
    state = *graph.value(graph.outputs.at(1)).constant;
  }
  test::expect_agreement(answers, test::numbers_of(golden.at("out/output")), "output");
}

INSTANTIATE_TEST_SUITE_P(
    Models, OnnxGolden,
    ::testing::Values(
        Case{"onnx/mnist.onnx", "mnist."}, Case{"onnx/FastestDet.onnx", "FastestDet."},
        Case{"onnx/version-RFB-320.onnx", "version-RFB-320."},
        Case{"onnx/supres.onnx", "supres.core.", {.from = {"input"}, .to = {"output"}}},
        // All probabilities below 3e-5; that runtime's sigmoid is right to 2^-23 of 1 only.
        Case{"onnx/ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_det_infer.", {}, 0x1p-23},
        Case{"onnx/ch_PP-OCRv4_rec_infer.onnx", "ch_PP-OCRv4_rec_infer."},
        Case{"onnx/ch_ppocr_mobile_v2.0_cls_infer.onnx", "ch_ppocr_mobile_v2.0_cls_infer."},
        Case{"small/convnext_tiny.onnx", "convnext_tiny."},
        Case{"small/detector_tiny.onnx", "detector_tiny."},
        Case{"small/efficientnet_tiny.onnx", "efficientnet_tiny."},
        Case{"small/misc_layers.onnx", "misc_layers."},
        Case{"small/mobilenet_v2_025.onnx", "mobilenet_v2_025."},
        Case{"small/mobilenet_v3_small_05.onnx", "mobilenet_v3_small_05."},
        Case{"small/regnet_grouped.onnx", "regnet_grouped."},
        Case{"small/resnet_bottleneck.onnx", "resnet_bottleneck."},
        Case{"small/shufflenet_x05.onnx", "shufflenet_x05."},
        Case{"small/text_encoder.onnx", "text_encoder."},
        Case{"small/unet_tiny.onnx", "unet_tiny."}, Case{"small/vit_tiny.onnx", "vit_tiny."}),
    [](const auto& tested) { return test::test_label(tested.param.golden); });

}  // namespace
}  // namespace skiff::convert
