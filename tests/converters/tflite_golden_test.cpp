#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "converters/import.h"
#include "converters/ir/evaluate.h"
#include "tests/converters/tflite_builder.h"
#include "tests/support/agreement.h"
#include "tests/support/shared_data.h"

// Whole trained networks against what another runtime computed (models/golden of the shared data).
// The golden input is bound as a constant, so the importer computes the network operator by
// operator with the CPU kernels, and no pass comes in between.
namespace skiff::convert {
namespace {

struct Case {
  const char* model;
  double tolerance = 5e-4;
  bool same_class = false;  ///< the largest number of each output stands in the same place
};

std::ptrdiff_t class_of(const std::vector<double>& scores) {
  return std::ranges::max_element(scores) - scores.begin();
}

void compare(ir::Graph& graph, const npy::Archive& golden, const Case& c) {
  for (ir::NodeId node : graph.order()) ASSERT_TRUE(ir::evaluate(graph, node));
  for (ir::ValueId id : graph.visible_outputs()) {
    const ir::Value& value = graph.value(id);
    const auto expected = golden.find("out/" + value.name);
    ASSERT_NE(expected, golden.end()) << value.name;
    ASSERT_EQ(value.shape, expected->second.shape) << value.name;
    const std::vector<double> ours = ir::numbers(value),
                              theirs = test::numbers_of(expected->second);
    test::expect_agreement(ours, theirs, value.name, c.tolerance);
    if (c.same_class) {
      EXPECT_EQ(class_of(ours), class_of(theirs)) << value.name;
    }
  }
}

class TfliteGolden : public ::testing::TestWithParam<Case> {};

TEST_P(TfliteGolden, AgreesWithReferenceKernels) {
  const Case& c = GetParam();
  const std::string model = "tflite/" + std::string(c.model) + ".tflite";
  const auto files = test::golden_files(model, std::string(c.model) + ".");
  if (files.empty()) GTEST_SKIP() << "no shared data for " << model << " (set SKIFF_DATA)";
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename().string());
    const npy::Archive golden = npy::load_npz(file.string());
    ImportOptions options;
    for (const auto& [name, array] : golden)
      if (name.starts_with("in/")) options.bind[name.substr(3)] = array.bytes;
    Imported imported = import_tflite((test::shared_data() / "models" / model).string(), options);
    EXPECT_TRUE(imported.graph.visible_inputs().empty());
    test::start_variables(imported.graph);
    compare(imported.graph, golden, c);
  }
}

/// Anomaly score of a machine's sound: windows of five frames against what the autoencoder makes of
/// them. The expected score stands in the benchmark's own table.
TEST(TfliteKnownAnswers, AnomalyScoreOfToyCar) {
  constexpr std::int64_t kFrames = 200, kBands = 128, kWindow = 5;
  const auto model = test::shared_data() / "models" / "tflite" / "ad01_fp32.tflite";
  const auto sound = test::shared_data() / "conformance" / "mlperf-tiny" / "benchmark" /
                     "reference_submissions" / "anomaly_detection" / "datasets" / "dcase01" /
                     "normal_id_01_00000000_hist_librosa.bin";
  std::vector<float> features(kFrames * kBands);
  std::ifstream file(sound, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(features.data()), kFrames * kBands * 4))
    GTEST_SKIP() << "no " << sound << " (set SKIFF_DATA)";
  std::vector<float> windows;
  for (std::int64_t i = 0; i + kWindow <= kFrames; ++i)
    windows.insert(windows.end(), features.begin() + i * kBands,
                   features.begin() + (i + kWindow) * kBands);
  ImportOptions options;
  options.shapes["input_1"] = Shape{kFrames - kWindow + 1, kWindow * kBands};
  options.bind["input_1"] = ir::bytes_of(std::span<const float>(windows));
  Imported imported = import_tflite(model.string(), options);
  for (ir::NodeId node : imported.graph.order()) ASSERT_TRUE(ir::evaluate(imported.graph, node));
  const auto restored = ir::numbers(imported.graph.value(imported.graph.outputs.at(0)));
  ASSERT_EQ(restored.size(), windows.size());
  double sum = 0;
  for (std::size_t i = 0; i < restored.size(); ++i)
    sum += (restored[i] - windows[i]) * (restored[i] - windows[i]);
  EXPECT_NEAR(sum / static_cast<double>(restored.size()), 9.70710781339692, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(
    Models, TfliteGolden,
    ::testing::Values(Case{"face_detection_short_range"}, Case{"palm_detection_lite"},
                      Case{"hand_landmark_lite"}, Case{"selfie_segmentation"},
                      Case{"pose_landmark_lite"}, Case{"pretrainedResnet"}, Case{"vww_96_float"},
                      Case{"ad01_fp32"}, Case{"trained_lstm"},
                      // int8 weights, of which that runtime quantises the inputs
                      Case{"kws_ref_model_float32", 0.02, true}),
    [](const auto& tested) { return std::string(tested.param.model); });

}  // namespace
}  // namespace skiff::convert
