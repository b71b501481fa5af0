#include <regex>
#include <vector>

#include "tests/samples/samples.h"
#include "tests/support/folders.h"

// The samples on trained models and photos of the shared folder: what they find is where a person
// sees it.
namespace skiff::test {
namespace {

const fs::path kSource = source_folder();

struct Found {
  std::string label;
  double score, x1, y1, x2, y2;
};

class Pictures : public Samples {
 protected:
  std::vector<Found> detect(const std::string& model, const std::string& picture) const {
    const std::string out = scratch_ / "out.png";
    const Said said = run("detect", model + " " + picture + " " + out);
    EXPECT_TRUE(read_text(out).starts_with("\x89PNG")) << picture;
    const std::regex line(R"((.+) ([0-9.]+) at \((.+), (.+)\) to \((.+), (.+)\))");
    std::vector<Found> found;
    for (std::sregex_iterator i(said.text.begin(), said.text.end(), line), end; i != end; ++i)
      found.push_back({(*i)[1], std::stod((*i)[2]), std::stod((*i)[3]), std::stod((*i)[4]),
                       std::stod((*i)[5]), std::stod((*i)[6])});
    return found;
  }
};

/// The box's centre lies within a box that a person drew.
void expect_within(const Found& f, double x1, double y1, double x2, double y2) {
  const double x = (f.x1 + f.x2) / 2, y = (f.y1 + f.y2) / 2;
  EXPECT_TRUE(x > x1 && x < x2 && y > y1 && y < y2) << x << ", " << y;
}

TEST_F(Pictures, FaceIsFoundAndACatHasNone) {
  for (const char* file :
       {"tflite/face_detection_short_range.tflite", "onnx/version-RFB-320.onnx"}) {
    SCOPED_TRACE(file);
    const std::string model = convert(file);
    const auto found = detect(model, media("coral/grace_hopper.bmp"));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_GT(found[0].score, 0.8);
    expect_within(found[0], 190, 120, 340, 330);
    EXPECT_TRUE(detect(model, media("coral/cat.bmp")).empty());
  }
}

TEST_F(Pictures, FastestDetFindsPeopleAndACat) {
  const std::string model =
      convert("onnx/FastestDet.onnx", "--labels " + (data_ / "models/onnx/coco.names").string());
  const auto people = detect(model, media("street_people.jpg"));
  ASSERT_FALSE(people.empty());
  EXPECT_EQ(people[0].label, "person");
  EXPECT_GT(people[0].score, 0.8);
  const auto cat = detect(model, media("coral/cat.bmp"));
  ASSERT_FALSE(cat.empty());
  EXPECT_EQ(cat[0].label, "cat");
}

TEST_F(Pictures, MnistReadsANine) {
  const Said said =
      run("classify", convert("onnx/mnist.onnx") + " " + media("coral/mnist_nine.bmp"));
  EXPECT_TRUE(std::regex_search(said.text, std::regex("^[0-9.]+  9 "))) << said.text;
}

TEST_F(Pictures, SelfieCutsOutAPerson) {
  const std::string out = scratch_ / "mask.png";
  const Said said = run("segment", convert("tflite/selfie_segmentation.tflite") + " " +
                                       media("coral/grace_hopper.bmp") + " " + out);
  const double share = std::stod(said.text);
  EXPECT_GT(share, 35) << said.text;
  EXPECT_LT(share, 80) << said.text;
}

TEST_F(Pictures, WhatCannotBeWrittenIsAnError) {
  const std::string arguments =
      convert("tflite/selfie_segmentation.tflite") + " " + media("coral/grace_hopper.bmp") + " ";
  const std::string segment = std::string(binary_folder()) + "/sample_segment ";
  for (const std::string& out : {std::string("/dev/full"), scratch_ / "none/out.png"}) {
    const Said said = run_command(segment + arguments + out);
    EXPECT_EQ(said.code, 1) << said.text;
    EXPECT_TRUE(said.says(out + ": cannot be written")) << said.text;
  }
  EXPECT_TRUE(fs::exists("/dev/full"));
  const std::string cut = scratch_ / "cut.png";  // a limit on file sizes stands in for a full disk
  const Said said =
      run_command("{ trap '' XFSZ; ulimit -f 1; " + segment + arguments + cut + "; }");
  EXPECT_EQ(said.code, 1) << said.text;
  EXPECT_FALSE(fs::exists(cut));
}

TEST_F(Pictures, AbsurdSizesAreRefusedBeforeTheyAreDecoded) {
  const std::string model = convert("onnx/mnist.onnx");
  std::string bmp(54, '\0');  // a header alone: 20000 x 20000 pixels of 24 bits
  bmp.replace(0, 2, "BM");
  bmp[10] = 54, bmp[14] = 40, bmp[26] = 1, bmp[28] = 24;
  bmp[18] = bmp[22] = 0x20, bmp[19] = bmp[23] = 0x4e;
  std::ofstream(scratch_ / "large.bmp", std::ios::binary) << bmp;
  const Said said = run_command(std::string(binary_folder()) + "/sample_classify " + model + " " +
                                (scratch_ / "large.bmp"));
  EXPECT_EQ(said.code, 1) << said.text;
  EXPECT_TRUE(said.says("20000 x 20000 pixels")) << said.text;
}

/// What samples/quickstart.sh downloads, where it was run before.
TEST(Quickstart, FindsTheAstronautsFaceAndNoneOnACat) {
  const fs::path cache = kSource / ".cache";
  if (!fs::exists(cache / "chelsea.png"))
    GTEST_SKIP() << "nothing downloaded yet (samples/quickstart.sh)";
  const ScratchFolder scratch;
  const std::string tools = std::string(binary_folder()) + "/", model = scratch / "face.skiff";
  const Said converted = run_command(
      tools + "skiff-convert " + (cache / "face_detection_short_range.tflite").string() + " -o " +
      model + " --task " +
      (kSource / "samples" / "tasks" / "face_detection_short_range.json").string());
  ASSERT_EQ(converted.code, 0) << converted.text;
  const auto found_in = [&](const char* photo) {
    return run_command(tools + "sample_detect " + model + " " + (cache / photo).string() + " " +
                       (scratch / "out.png"));
  };
  const Said face = found_in("astronaut.png");
  EXPECT_TRUE(face.says("1 found")) << face.text;
  const Said cat = found_in("chelsea.png");
  EXPECT_TRUE(cat.says("0 found")) << cat.text;
}

}  // namespace
}  // namespace skiff::test
