#include "tests/cli/tools.h"

// skiff-convert --int8 --calibrate as its users see it.
namespace skiff::test {
namespace {

/// A .npz with the model's first input, numbers in [-1, 1].
std::string sample(const std::string& model, const ScratchFolder& scratch,
                   const std::string& file) {
  const auto input = skiff_json("inspect " + model, scratch)["inputs"][0];
  npy::Array array{DType::float32, {}, {}};
  for (const auto& extent : input["shape"]) array.shape.push_back(extent.get<std::int64_t>());
  std::vector<float> numbers(static_cast<std::size_t>(array.shape.elements()));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
  const auto bytes = std::as_bytes(std::span(numbers));
  array.bytes.assign(bytes.begin(), bytes.end());
  npy::save_npz(scratch / file, {{"in/" + input["name"].get<std::string>(), array}});
  return scratch / file;
}

TEST(Int8, FlagsThatDoNotGoTogether) {
  const struct {
    const char* flags;
    const char* says;
  } cases[] = {{"--int8", "--calibrate FOLDER|FILE.npz"},
               {"--calibrate x.npz", "goes with --int8"},
               {"--int8 --fp16 --calibrate x.npz", "exclude each other"},
               {"--bf16 --int8 --calibrate x.npz", "exclude each other"},
               {"--int8 --calibrate x.npz --dyn N=1:2:4", "--dyn"}};
  for (const auto& c : cases) {
    const Said said = skiff_convert(std::string("net.onnx -o net.skiff ") + c.flags);
    EXPECT_EQ(said.code, 2) << c.flags << said.text;
    EXPECT_TRUE(said.says(c.says)) << c.flags << said.text;
  }
}

TEST(Int8, SamplesThatDoNotFit) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const std::string convert =
      kSmallSource + " -o " + (scratch / "int8.skiff") + " --int8 --calibrate ";
  Said said = skiff_convert(convert + (scratch / "nowhere"));
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("nowhere")) << said.text;
  fs::create_directory(scratch / "empty");
  said = skiff_convert(convert + (scratch / "empty"));
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("no .npz file")) << said.text;
  npy::save_npz(scratch / "other.npz",
                {{"other", {DType::float32, {1}, std::vector<std::byte>(4)}}});
  said = skiff_convert(convert + (scratch / "other.npz"));
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("no array in/")) << said.text;
  std::ofstream(scratch / "damaged.npz") << "no archive";
  said = skiff_convert(convert + (scratch / "damaged.npz"));
  EXPECT_EQ(said.code, 1);
  EXPECT_TRUE(said.says("damaged.npz")) << said.text;
  EXPECT_FALSE(fs::exists(scratch / "int8.skiff"));
}

TEST(Int8, ReportsWhatWasDone) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const std::string npz = sample(model, scratch, "one.npz");
  const std::string flags = kSmallSource + " --int8 --golden auto --calibrate=" + npz +
                            " --report " + (scratch / "report.json") + " -o ";
  const Said said = skiff_convert(flags + (scratch / "int8.skiff"));
  ASSERT_EQ(said.code, 0) << said.text;
  EXPECT_TRUE(said.says("against float32")) << said.text;
  const auto report = nlohmann::json::parse(read_text(scratch / "report.json"))["int8"];
  EXPECT_EQ(report["samples"], 1);
  EXPECT_EQ(report["products"], 1);
  ASSERT_EQ(report["against_float32"].size(), 1u);
  EXPECT_GT(report["against_float32"][0]["relative_l2"].get<double>(), 0);
  EXPECT_LT(report["against_float32"][0]["relative_l2"].get<double>(), 0.02);
  EXPECT_GT(report["against_float32"][0]["cosine"].get<double>(), 0.999);
  // Golden data are what float32 computes, from which integers are off.
  const auto verified = skiff_json("verify " + (scratch / "int8.skiff"), scratch);
  EXPECT_TRUE(verified["right"].get<bool>()) << verified;
  const auto output = verified["cases"][0]["outputs"][0];
  EXPECT_GT(output["relative_l2"].get<double>(), 1e-4) << verified;
  EXPECT_LT(output["relative_l2"].get<double>(), 0.02) << verified;
  const auto before = skiff_json("inspect " + model, scratch),
             after = skiff_json("inspect " + (scratch / "int8.skiff"), scratch);
  EXPECT_EQ(before["inputs"], after["inputs"]);
  EXPECT_EQ(before["outputs"], after["outputs"]);
  ASSERT_EQ(skiff_convert(flags + (scratch / "again.skiff")).code, 0);
  EXPECT_EQ(read_text(scratch / "int8.skiff"), read_text(scratch / "again.skiff"));
}

}  // namespace
}  // namespace skiff::test
