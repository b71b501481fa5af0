#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "converters/convert.h"
#include "converters/npy/npy.h"
#include "tests/support/agreement.h"
#include "tests/support/command.h"
#include "tests/support/shared_data.h"

// Real detectors as int8 files, calibrated with the inputs of their golden data: near to what
// another runtime computed in floats, and the same things are found.
namespace skiff::test {
namespace {

struct Detector {
  const char* model;      ///< beneath models/
  const char* golden;     ///< begin of the golden files' names, and the task's name
  double relative_l2;     ///< half as much again as was measured
  bool portrait = false;  ///< its own golden data show no face that it finds
};

constexpr Detector kDetectors[] = {
    {"onnx/FastestDet.onnx", "FastestDet", 0.22},
    {"onnx/version-RFB-320.onnx", "version-RFB-320", 0.0045},
    {"tflite/face_detection_short_range.tflite", "face_detection_short_range", 0.47, true},
};

std::vector<std::byte> convert(const Detector& detector, const std::string& samples) {
  convert::ConvertOptions options;
  options.check = true;
  options.calibrate = samples;
  options.task = std::string(source_folder()) + "/samples/tasks/" + detector.golden + ".json";
  const auto path = shared_data() / "models" / detector.model;
  return convert::convert_file(path.string(), options);
}

void run(Session& session, const npy::Archive& sample) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const npy::Array& array = sample.at("in/" + std::string(session.input(i).name()));
    ASSERT_EQ(session.input(i).dtype(), array.dtype);
    ASSERT_EQ(session.input(i).bytes().size(), array.bytes.size());
    std::memcpy(session.input(i).bytes().data(), array.bytes.data(), array.bytes.size());
  }
  ASSERT_TRUE(session.run().ok());
}

/// A portrait out of another network's golden data, which gives it in [0, 1], as the session's
/// network takes it.
npy::Archive portrait(Session& session) {
  const auto file = shared_data() / "models" / "golden" / "selfie_segmentation.grace_hopper.npz";
  npy::Array pixels;
  for (const auto& [name, array] : npy::load_npz(file.string()))
    if (name.starts_with("in/")) pixels = array;
  std::vector<std::uint8_t> bytes;
  for (const double number : numbers_of(pixels))
    bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * number)));
  set_image(session, {bytes.data(), static_cast<int>(pixels.shape[2]),
                      static_cast<int>(pixels.shape[1]), 3});
  const Tensor input = session.input(0);
  return {{"in/" + std::string(input.name()),
           {input.dtype(), input.shape(), {input.bytes().begin(), input.bytes().end()}}}};
}

void expect_near(const Session& session, const npy::Archive& golden, double bound) {
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const auto given = session.output(i).values<const float>();
    const auto expected = numbers_of(golden.at("out/" + std::string(session.output(i).name())));
    double error = 0, norm = 0;
    for (std::size_t j = 0; j < expected.size(); ++j) {
      error += std::pow(static_cast<double>(given[j]) - expected[j], 2);
      norm += expected[j] * expected[j];
    }
    EXPECT_LT(std::sqrt(error / norm), bound) << session.output(i).name();
  }
}

std::vector<Detection> found_by(const Session& session) {
  std::vector<Detection> found(100);
  found.resize(detect(session, {}, found));
  return found;
}

float overlap(const Detection& a, const Detection& b) {
  const auto area = [](const Detection& box) { return (box.x2 - box.x1) * (box.y2 - box.y1); };
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  return width * height / (area(a) + area(b) - width * height);
}

class Int8 : public ::testing::TestWithParam<Detector> {};

TEST_P(Int8, FindsTheSameThings) {
  const Detector& detector = GetParam();
  const auto files = golden_files(detector.model, std::string(detector.golden) + ".");
  if (files.empty()) GTEST_SKIP() << "no shared data for " << detector.model << " (set SKIFF_DATA)";
  const auto float_file = convert(detector, "");
  Session floats(Model::from_bytes(float_file));
  std::vector<npy::Archive> samples;
  for (const auto& file : files) samples.push_back(npy::load_npz(file.string()));
  if (detector.portrait) samples.push_back(portrait(floats));
  const ScratchFolder folder;
  for (std::size_t i = 0; i < samples.size(); ++i)
    npy::save_npz(folder / (std::to_string(i) + ".npz"), samples[i]);
  const auto int8_file = convert(detector, folder / "");
  Session integers(Model::from_bytes(int8_file));
  std::size_t things = 0;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    SCOPED_TRACE(s);
    ASSERT_NO_FATAL_FAILURE(run(floats, samples[s]));
    ASSERT_NO_FATAL_FAILURE(run(integers, samples[s]));
    if (s < files.size()) expect_near(integers, samples[s], detector.relative_l2);
    const auto expected = found_by(floats), found = found_by(integers);
    ASSERT_EQ(found.size(), expected.size());
    for (const Detection& thing : expected)
      EXPECT_TRUE(std::ranges::any_of(found,
                                      [&](const Detection& other) {
                                        return other.label == thing.label &&
                                               overlap(thing, other) > 0.8f;
                                      }))
          << thing.label << " at " << thing.x1 << ", " << thing.y1;
    things += expected.size();
  }
  EXPECT_GT(things, 0u);
}

INSTANTIATE_TEST_SUITE_P(Detectors, Int8, ::testing::ValuesIn(kDetectors),
                         [](const auto& tested) { return test_label(tested.param.golden); });

}  // namespace
}  // namespace skiff::test
