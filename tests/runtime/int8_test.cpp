#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cstring>

#include "converters/convert.h"
#include "converters/distance.h"
#include "converters/npy/npy.h"
#include "tests/support/agreement.h"
#include "tests/support/command.h"
#include "tests/support/shared_data.h"

// Real detectors as int8 files, calibrated with the inputs of their golden data: near to what
// another runtime computed in floats, and the same things are found.
namespace skiff::test {
namespace {

struct Detector {
  const char* model;   ///< beneath models/
  const char* golden;  ///< begin of the golden files' names, and the task's name
  double relative_l2;  ///< measured, and a half more
};

constexpr Detector kDetectors[] = {
    {"onnx/FastestDet.onnx", "FastestDet", 0.5},
    {"onnx/version-RFB-320.onnx", "version-RFB-320", 0.5},
    {"tflite/face_detection_short_range.tflite", "face_detection_short_range", 0.5},
};

std::vector<std::byte> convert(const Detector& detector, const std::string& samples) {
  convert::ConvertOptions options;
  options.check = true;
  options.calibrate = samples;
  options.task = std::string(source_folder()) + "/samples/tasks/" + detector.golden + ".json";
  const auto path = shared_data() / "models" / detector.model;
  return convert::convert_file(path.string(), options);
}

void run(Session& session, const npy::Archive& golden) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const npy::Array& array = golden.at("in/" + std::string(session.input(i).name()));
    ASSERT_EQ(session.input(i).dtype(), array.dtype);
    ASSERT_EQ(session.input(i).bytes().size(), array.bytes.size());
    std::memcpy(session.input(i).bytes().data(), array.bytes.data(), array.bytes.size());
  }
  ASSERT_TRUE(session.run().ok());
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
  const ScratchFolder samples;
  for (const auto& file : files) fs::copy(file, samples / file.filename().string());
  const auto float_file = convert(detector, ""), int8_file = convert(detector, samples / "");
  Session floats(Model::from_bytes(float_file)), integers(Model::from_bytes(int8_file));
  std::size_t things = 0;
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename().string());
    const npy::Archive golden = npy::load_npz(file.string());
    ASSERT_NO_FATAL_FAILURE(run(floats, golden));
    ASSERT_NO_FATAL_FAILURE(run(integers, golden));
    for (std::size_t i = 0; i < integers.output_count(); ++i) {
      const auto numbers = integers.output(i).values<const float>();
      convert::Distance distance;
      distance.add(std::vector<double>(numbers.begin(), numbers.end()),
                   numbers_of(golden.at("out/" + std::string(integers.output(i).name()))));
      EXPECT_LT(distance.relative_l2(), detector.relative_l2) << integers.output(i).name();
    }
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
