#include "tests/cli/tools.h"
#include "tests/converters/onnx_builder.h"
#include "tests/converters/tflite_builder.h"

// skiff-convert as its users meet it: what it refuses, what it says and the exit code.
namespace skiff::test {
namespace {

/// y = -x for a picture of `channels` channels.
std::string picture_model(const ScratchFolder& scratch, std::int64_t channels = 3) {
  OnnxBuilder model;
  model.input("x", {1, channels, 4, 4}).node("Neg", {"x"}, {"y"}).output("y");
  const std::string path = scratch / "m.onnx";
  write_bytes(path, model.bytes());
  return path;
}

class ConvertTool : public testing::Test {
 protected:
  /// Converts the picture model to OUT.
  Said convert(const std::string& flags) const {
    return skiff_convert(model_ + " -o " + out_ + " " + flags);
  }
  void expect_refused(const std::string& flags, int code, const std::string& says) const {
    const Said said = convert(flags);
    EXPECT_EQ(said.code, code) << flags << "\n" << said.text;
    EXPECT_TRUE(said.says(says)) << flags << "\n" << said.text;
    EXPECT_TRUE(said.text.starts_with("skiff-convert: ")) << said.text;
    EXPECT_FALSE(fs::exists(out_)) << flags;
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(scratch_ / name) << text;
    return scratch_ / name;
  }

  const ScratchFolder scratch_;
  const std::string model_ = picture_model(scratch_);
  const std::string out_ = scratch_ / "out.skiff";
};

TEST_F(ConvertTool, NeverOverwritesWhatItReads) {
  fs::create_symlink("m.onnx", scratch_ / "link.skiff");
  const std::string labels = file("labels.txt", "cat\ndog\n");
  npy::save_npz(scratch_ / "golden.npz", {{"x", {DType::float32, {1}, std::vector<std::byte>(4)}}});
  const std::string before = read_text(model_);
  const std::string cases[] = {
      model_ + " -o " + model_,
      model_ + " -o " + (scratch_ / "./m.onnx"),
      model_ + " -o " + (scratch_ / "link.skiff"),
      model_ + " -o " + labels + " --labels " + labels,
      model_ + " -o " + out_ + " --report " + model_,
      model_ + " --golden " + (scratch_ / "golden.npz") + " -o " + (scratch_ / "golden.npz")};
  for (const std::string& arguments : cases) {
    const Said said = skiff_convert(arguments);
    EXPECT_EQ(said.code, 2) << arguments << said.text;
    EXPECT_TRUE(said.says("would overwrite")) << said.text;
  }
  expect_refused("--report " + out_, 2, "is the file that --output names");
  EXPECT_EQ(read_text(model_), before);
  EXPECT_EQ(read_text(labels), "cat\ndog\n");
}

TEST_F(ConvertTool, NeverOverwritesExternalData) {
  OnnxBuilder model;
  model.input("x", {2}).node("Add", {"x", "w"}, {"y"}).output("y");
  auto& tensor = *model.graph().add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(1);
  tensor.add_dims(2);
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto& entry = *tensor.add_external_data();
  entry.set_key("location");
  entry.set_value("weights.skiff");
  write_bytes(model_, model.bytes());
  const Said missing = convert("");
  EXPECT_EQ(missing.code, 1) << missing.text;
  EXPECT_TRUE(missing.says("cannot open 'weights.skiff'")) << missing.text;
  file("weights.skiff", "8 bytes!");
  const Said said = skiff_convert(model_ + " -o " + (scratch_ / "weights.skiff"));
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("would overwrite")) << said.text;
  EXPECT_EQ(read_text(scratch_ / "weights.skiff"), "8 bytes!");
  EXPECT_EQ(convert("").code, 0);
}

TEST_F(ConvertTool, SameBytesHoweverOptionsAreWritten) {
  const std::string flags = " --mean 0.5,0.5,0.5 --std=1,1,1 --strip-names";
  ASSERT_EQ(convert(flags).code, 0);
  const std::string expected = read_text(out_), other = scratch_ / "other.skiff";
  for (const std::string& arguments :
       {model_ + " -o" + other + flags, "-o" + other + " " + model_ + flags,
        model_ + flags + " --output=" + other,
        "--std 1,1,1 --mean=0.5,0.5 --mean 0.5 --strip-names " + model_ + " -o " + other}) {
    const Said said = skiff_convert(arguments);
    EXPECT_EQ(said.code, 0) << arguments << said.text;
    EXPECT_EQ(read_text(other), expected) << arguments;
    fs::remove(other);
  }
  EXPECT_NE(expected.find("--mean=0.5,0.5,0.5"), std::string::npos);
  EXPECT_EQ(expected.find("out.skiff"), std::string::npos);
}

TEST_F(ConvertTool, PreprocessingFitsTheInput) {
  expect_refused("--std 0,0,0", 2, "std holds 0");
  expect_refused("--std 1,1,-1", 2, "std holds -1");
  expect_refused("--mean 0.5", 2, "mean has 1 entry, the input has 3 channels");
  expect_refused("--mean nan,0,0", 2, "mean holds nan");
  expect_refused("--color gray", 2, "the input [1, 3, 4, 4] has 3");
  const std::string axes = R"("height_axis": 2, "width_axis": 3, "channel_axis": 1, )";
  expect_refused(
      "--task " + file("task.json", R"({"preprocess": {)" + axes + R"("std": [1, 0, 1]}})"), 2,
      "std holds 0");
  expect_refused("--task " + file("axes.json", R"({"preprocess": {"height_axis": 4}})"), 2,
                 "axis 4 of [1, 3, 4, 4] does not exist");
  picture_model(scratch_, 1);
  EXPECT_EQ(convert("--color gray --mean 0.5 --std 2").code, 0);
  EXPECT_EQ(skiff("inspect " + out_).code, 0);
}

TEST_F(ConvertTool, LabelsAreLinesOfAFile) {
  fs::create_directory(scratch_ / "folder");
  expect_refused("--labels " + (scratch_ / "folder"), 1, "it is a folder");
  expect_refused("--task " + (scratch_ / "folder"), 1, "it is a folder");
  expect_refused("--labels " + file("empty.txt", ""), 2, "empty.txt: the file holds no label");
  expect_refused("--labels " + (scratch_ / "none.txt"), 2, "none.txt");
  ASSERT_EQ(convert("--labels " + file("two.txt", "cat\r\ndog")).code, 0);
  EXPECT_EQ(skiff_json("inspect " + out_, scratch_)["labels"], 2);
}

TEST_F(ConvertTool, NamesTheFlagThatIsWrong) {
  expect_refused("--bind nope=1", 2, "--bind nope: the model has no such input");
  TfliteBuilder model;
  const int x = model.tensor("x", {1}), y = model.tensor("y", {1});
  model.op(tflite::Builtin::NEG, {x}, {y});
  write_bytes(scratch_ / "m.tflite", model.finish({x}, {y}));
  const Said said = skiff_convert((scratch_ / "m.tflite") + " --bind nope=1 -o " + out_);
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("--bind nope: the model has no such input")) << said.text;
}

TEST_F(ConvertTool, SaysWhatASessionTakesAtLeast) {
  expect_refused("--fit 1K", 1, "--fit: 1024 bytes are too few; a session here takes ");
  const std::string text = convert("--fit 1K").text, flag = "(--fit ";
  const std::size_t at = text.find(flag);
  ASSERT_NE(at, std::string::npos) << text;
  const std::string least = text.substr(at + flag.size(), text.find(')', at) - at - flag.size());
  const Said said = convert("--fit " + least);
  EXPECT_EQ(said.code, 0) << least << said.text;
}

TEST_F(ConvertTool, AllOutputsOrNone) {
  expect_refused("--report " + (scratch_ / "none/r.json"), 1, "--report: cannot create");
  fs::create_directory(scratch_ / "folder");
  expect_refused("--report " + (scratch_ / "folder"), 1, "--report: cannot write");
  expect_refused("--dump-ir " + file("a", "file"), 1, "--dump-ir: cannot make the folder");
  const Said missing = skiff_convert(model_ + " -o " + (scratch_ / "none/out.skiff"));
  EXPECT_EQ(missing.code, 1);
  EXPECT_TRUE(missing.says("none/out.skiff")) << missing.text;
  EXPECT_EQ(skiff_convert(model_ + " -o /dev/full").code, 1);
  ASSERT_EQ(convert("--report " + (scratch_ / "r.json")).code, 0);
  EXPECT_TRUE(fs::exists(scratch_ / "r.json"));
}

TEST_F(ConvertTool, WrongUseIsTwoInWordsOfItsOwn) {
  expect_refused("--int8=3", 2, "--int8: takes no value");
  expect_refused("--strip-names=maybe", 2, "--strip-names: takes no value");
  expect_refused("--fp16 --bf16", 2, "exclude each other");
  expect_refused("--fp16-sums", 2, "--fp16-sums goes with --fp16");
  expect_refused("--bf16 --fp16-sums", 2, "--fp16-sums goes with --fp16");
  expect_refused("--mean a,b,c", 2, "--mean: 'a' is not a number");
  expect_refused("--max-turns many", 2, "--max-turns: 'many' is not a number");
  expect_refused("--max-turns 0", 2, "--max-turns 0: should be from 1");
  expect_refused("--color red", 2, "--color red: should be rgb, bgr or gray");
  expect_refused("--color rgb --color bgr", 2, "--color: given 2 times");
  expect_refused("--fit much", 2, "--fit: 'much' is no size");
  expect_refused("--shape", 2, "--shape: needs a value");
  expect_refused("--nonsense", 2, "unknown argument --nonsense");
  EXPECT_TRUE(skiff_convert("").says("no model is given")) << skiff_convert("").text;
  EXPECT_TRUE(skiff_convert(model_).says("no file to write is given"));
  EXPECT_EQ(skiff_convert(model_).code, 2);
  const Said version = skiff_convert("--version");
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.text, skiff("--version").text);
}

std::size_t times(const std::string& text, const std::string& piece) {
  std::size_t count = 0;
  for (std::size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1))
    ++count;
  return count;
}

TEST_F(ConvertTool, ErrorsNameTheModelOnceInOneLine) {
  file("m.onnx", "no model");
  expect_refused("", 1, "m.onnx");
  EXPECT_EQ(times(convert("").text, model_), 1u) << convert("").text;
  EXPECT_EQ(times(convert("").text, "\n"), 1u) << convert("").text;
  const Said missing = skiff_convert((scratch_ / "none.onnx") + " -o " + out_);
  EXPECT_EQ(missing.code, 2) << missing.text;
  EXPECT_EQ(times(missing.text, "none.onnx"), 1u) << missing.text;
  EXPECT_TRUE(missing.text.starts_with("skiff-convert: ")) << missing.text;
}

/// One reason and remedy for many nodes is said once.
TEST_F(ConvertTool, RefusalsAreGrouped) {
  OnnxBuilder model;
  model.input("x", {1});
  for (int i = 0; i < 30; ++i) {
    const std::string name = std::string("n").append(std::to_string(i));
    model.node(i == 7 ? "AnOperatorWithQuiteALongNameThatNobodyKnows" : "Unknown", {"x"}, {name});
    model.graph().mutable_node(i)->set_domain("example");
    model.graph().mutable_node(i)->set_name(name);
    model.output(name);
  }
  write_bytes(model_, model.bytes());
  const std::string text = convert("").text;
  expect_refused("", 1, "30 nodes cannot be converted");
  EXPECT_LE(times(text, "\n"), 6u) << text;
  EXPECT_EQ(times(text, "what would help"), 1u) << text;
  EXPECT_NE(text.find("'n0', 'n1', 'n2', 'n3' and 25 more"), std::string::npos) << text;
  EXPECT_NE(text.find("AnOperatorWithQuiteALongNameThatNobodyKnows"), std::string::npos) << text;
}

}  // namespace
}  // namespace skiff::test
