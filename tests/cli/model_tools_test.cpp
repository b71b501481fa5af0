#include <array>
#include <map>

#include "tests/cli/tools.h"
#include "tests/support/shared_data.h"

// run, bench, profile and inspect on a model.
namespace skiff::test {
namespace {

/// Golden data of the shared folder and the model it belongs to; inputs and outputs as --flags.
struct GoldenCase {
  const char* model;
  const char* golden;
  const char* flags = "";
};

constexpr GoldenCase kCases[] = {
    {"onnx/mnist.onnx", "mnist.nine.npz"},
    {"onnx/version-RFB-320.onnx", "version-RFB-320.cat.npz"},
    {"tflite/face_detection_short_range.tflite", "face_detection_short_range.people.npz"},
};

class RunGolden : public testing::TestWithParam<GoldenCase> {};

TEST_P(RunGolden, OutputsAgree) {
  const fs::path models = shared_data() / "models";
  const fs::path golden = models / "golden" / GetParam().golden;
  if (!fs::exists(golden)) GTEST_SKIP() << "no " << golden.string() << " (set SKIFF_DATA)";
  const ScratchFolder scratch;
  const std::string model = scratch / "m.skiff";
  const Said converted =
      skiff_convert(fmt::format("{} -o {}", (models / GetParam().model).string(), model));
  ASSERT_EQ(converted.code, 0) << converted.text;
  std::string arguments = "run " + model + " --rtol=1e-3 --atol=1e-3";
  for (const auto& [name, array] : npy::load_npz(golden.string())) {
    if (name.starts_with("in/"))
      arguments += fmt::format(" --input {}={}", name.substr(3), golden.string());
    if (name.starts_with("out/"))
      arguments += fmt::format(" --compare {}={}", name.substr(4), golden.string());
  }
  const Said said = skiff(arguments);
  EXPECT_EQ(said.code, 0) << said.text;
  EXPECT_TRUE(said.says("agrees")) << said.text;
}

INSTANTIATE_TEST_SUITE_P(Shared, RunGolden, testing::ValuesIn(kCases), [](const auto& tested) {
  return test_label(fs::path(tested.param.model).stem().string());
});

TEST(Run, WritesWhatItComputesAndComparesWithIt) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const std::string input = input_of_ones(model, scratch);
  const std::string output = name_of_first(model, "outputs", scratch);
  for (const char* ending : {".npy", ".npz", ".raw"}) {
    const std::string file = scratch / (std::string("out") + ending);
    EXPECT_EQ(skiff(fmt::format("run {}{} --output {}={}", model, input, output, file)).code, 0);
    const Said said = skiff(
        fmt::format("run {}{} --compare {}={} --rtol=0 --atol=0", model, input, output, file));
    EXPECT_EQ(said.code, 0) << said.text;
  }
  npy::Array wrong = npy::load_npy(scratch / "out.npy");
  wrong.bytes[2] ^= std::byte{0x40};
  npy::save_npy(scratch / "out.npy", wrong);
  const Said said =
      skiff(fmt::format("run {}{} --compare {}={}", model, input, output, scratch / "out.npy"));
  EXPECT_EQ(said.code, 1) << said.text;
  EXPECT_TRUE(said.says("DIFFERS")) << said.text;
}

/// ONNX's own test data, an input and what must come of it.
TEST(Run, ReadsOnnxTensors) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const std::string data = fs::path(kSmallSource).parent_path() / "test_data_set_0";
  const std::string in = name_of_first(model, "inputs", scratch);
  const std::string out = name_of_first(model, "outputs", scratch);
  const std::string input = fmt::format("run {} --input {}={}/input_0.pb", model, in, data);
  const Said said = skiff(fmt::format("{} --compare {}={}/output_0.pb", input, out, data));
  EXPECT_EQ(said.code, 0) << said.text;
  EXPECT_TRUE(said.says("agrees")) << said.text;
  std::ofstream(scratch / "cut.pb") << read_text(data + "/input_0.pb").substr(0, 40);
  EXPECT_NE(skiff(fmt::format("run {} --input {}={}", model, in, scratch / "cut.pb")).code, 0);
}

TEST(Run, TheModelMayComeLast) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const std::string input = input_of_ones(model, scratch);
  const Said said = skiff("run" + input + " " + model);
  EXPECT_EQ(said.code, 0) << said.text;
}

TEST(Run, AsksForEveryInput) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const Said said = skiff("run " + model);
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("no --input")) << said.text;
  EXPECT_EQ(skiff("run " + model + " --input nonsense=x.npy").code, 2);
}

TEST(Run, WrongNamesAreSaidWithWhatWasMeant) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const std::string in = name_of_first(model, "inputs", scratch);
  const std::string out = name_of_first(model, "outputs", scratch);
  const std::string input = input_of_ones(model, scratch);
  using Case = std::array<std::string, 3>;  // flag, wrong name, right one
  for (const auto& [flag, name, meant] :
       {Case{"--input", in + "x", in}, Case{"--output", out + "x", out},
        Case{"--compare", out + "x", out}}) {
    const Said said = skiff(fmt::format("run {}{} {} {}=none.npy", model, input, flag, name));
    EXPECT_EQ(said.code, 2) << said.text;
    EXPECT_TRUE(said.says(flag + " " + name + "=")) << said.text;
    EXPECT_TRUE(said.says("did you mean " + meant + "?")) << said.text;
  }
}

/// Files that are there and hold what they must not: a job that failed, and the file is named.
TEST(Run, BadContentIsOne) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  input_of_ones(model, scratch);
  const std::string npy = read_text(scratch / "in.npy"),
                    in = name_of_first(model, "inputs", scratch);
  std::string other_type = npy;
  other_type.replace(other_type.find("<f4"), 3, "<i4");
  for (const auto& [file, bytes] :
       std::map<std::string, std::string>{{"cut.npy", npy.substr(0, npy.size() - 1)},
                                          {"long.npy", npy + "x"},
                                          {"type.npy", other_type},
                                          {"text.npy", "no array"},
                                          {"empty.npy", ""},
                                          {"text.npz", "no archive"},
                                          {"short.raw", "12"},
                                          {"text.png", "no picture"},
                                          {"cut.png", "\x89PNG\r\n\x1a\n"}}) {
    std::ofstream(scratch / file, std::ios::binary) << bytes;
    const Said said = skiff(fmt::format("run {} --input {}={}", model, in, scratch / file));
    EXPECT_EQ(said.code, 1) << said.text;
    EXPECT_TRUE(said.says(file)) << said.text;
  }
  EXPECT_EQ(skiff(fmt::format("run {} --input {}=none.npy", model, in)).code, 2);
  EXPECT_EQ(skiff(fmt::format("run {} --input {}=x.txt", model, in)).code, 2);
}

/// A picture is not decoded before its size is known to be acceptable.
TEST(Run, LargePicturesAreRefused) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  std::string bmp(54, '\0');  // a header alone, of 24-bit pixels
  bmp.replace(0, 2, "BM");
  bmp[10] = 54, bmp[14] = 40, bmp[26] = 1, bmp[28] = 24;
  bmp.replace(18, 2, "\x20\x4e").replace(22, 2, "\x20\x4e");  // 20,000, little-endian
  std::ofstream(scratch / "large.bmp", std::ios::binary) << bmp;
  const Said said =
      skiff(fmt::format("run {} --input {}={}", model, name_of_first(model, "inputs", scratch),
                        scratch / "large.bmp"));
  EXPECT_EQ(said.code, 1) << said.text;
  EXPECT_TRUE(said.says("20000 x 20000 pixels")) << said.text;
}

TEST(Bench, WritesTheAgreedObject) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const std::string times = scratch / "times.json";
  const auto json = skiff_json(
      "bench --warmUp=1 --duration=0.05 --iterations=7 --percentile=95,99.9 --sessions=2 "
      "--threads=2 --exportTimes=" +
          times + " " + model,
      scratch);
  for (const char* key :
       {"model", "device", "threads", "sessions", "batch", "latency_ms", "throughput_per_s",
        "load_ms", "digest_ms", "first_run_ms", "memory", "environment"})
    EXPECT_TRUE(json.contains(key)) << key;
  const auto& latency = json["latency_ms"];
  for (const char* key : {"min", "median", "mean", "p90", "p99", "max", "count", "p95", "p99.9"})
    EXPECT_TRUE(latency.contains(key)) << key;
  EXPECT_GE(latency["count"].get<int>(), 14);
  EXPECT_LE(latency["min"].get<double>(), latency["median"].get<double>());
  EXPECT_LE(latency["p99"].get<double>(), latency["max"].get<double>());
  EXPECT_EQ(nlohmann::json::parse(read_text(times)).size(), latency["count"].get<std::size_t>());
  EXPECT_GT(json["digest_ms"].get<double>(), 0);
  EXPECT_LT(json["digest_ms"].get<double>(), json["load_ms"].get<double>());
  const auto unchecked =
      skiff_json("bench --warmUp=0 --duration=0 --iterations=1 --digest=off " + model, scratch);
  EXPECT_EQ(unchecked["digest_ms"].get<double>(), 0);
}

TEST(Inspect, ShapesAreReadWhateverIsAskedFor) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const auto input = skiff_json("inspect " + model, scratch)["inputs"][0];
  const auto name = input["name"].get<std::string>();
  for (const char* what : {"", "--memory", "--boards", "--plan", "--placement"}) {
    for (const std::string& shape : {std::string("nonsense"), name + "=1x1", name + "x=1x1"}) {
      const Said said = skiff(fmt::format("inspect {} {} --shape {}", model, what, shape));
      EXPECT_EQ(said.code, 2) << said.text;
      EXPECT_TRUE(said.says("--shape")) << said.text;
    }
    std::string right = name + "=";
    for (const auto& extent : input["shape"])
      right += (right.ends_with("=") ? "" : "x") + std::to_string(extent.get<int>());
    EXPECT_EQ(skiff(fmt::format("inspect {} {} --shape {}", model, what, right)).code, 0);
  }
}

TEST(Inspect, PlacementSaysWhyThereIsNoGpu) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const auto json = skiff_json("inspect --placement --device=cpu " + model, scratch);
  for (const auto& step : json["steps"]) EXPECT_EQ(step["why_cpu"], "--device=cpu");
  EXPECT_EQ(json["placement"]["cpu_steps"].get<std::size_t>(), json["steps"].size());
  EXPECT_TRUE(json["borders"].empty());
  const Said said = skiff("inspect --placement --device=cpu " + model);
  EXPECT_TRUE(said.says("0 step(s) on the GPU")) << said.text;
  EXPECT_TRUE(said.says("no GPU is used: --device=cpu")) << said.text;
}

TEST(Memory, PredictedIsUsed) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  for (const char* threads : {"1", "2"}) {
    const std::string flags = std::string(" --threads=") + threads + " " + model;
    auto used =
        skiff_json("bench --duration=0 --warmUp=0 --iterations=1" + flags, scratch)["memory"];
    const auto inspected = skiff_json("inspect --memory" + flags, scratch);
    const auto& predicted = inspected["memory"];
    EXPECT_LE(inspected["unfused"]["arena_lower_bound"],
              inspected["unfused"]["arena_lower_bound_plain"]);
    EXPECT_LE(predicted["arena_lower_bound"], inspected["unfused"]["arena_lower_bound_plain"]);
    EXPECT_EQ(used["total"], used["predicted_total"]);
    EXPECT_GT(used["peak_rss"].get<std::uint64_t>(), 0u);
    EXPECT_EQ(used["total"].get<std::uint64_t>(),
              used["weights"].get<std::uint64_t>() + used["arena"].get<std::uint64_t>() +
                  used["io"].get<std::uint64_t>() + used["other"].get<std::uint64_t>());
    used.erase("peak_rss");
    EXPECT_EQ(used, predicted);
  }
}

TEST(Profile, NamesEveryStep) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const std::string trace = scratch / "trace.json";
  const auto json = skiff_json("profile --iterations=3 --trace=" + trace + " " + model, scratch);
  const auto steps = skiff_json("inspect --plan " + model, scratch)["steps"];
  ASSERT_EQ(json["layers"].size(), steps.size());
  double share = 0;
  for (const auto& layer : json["layers"]) share += layer["share"].get<double>();
  EXPECT_NEAR(share, 1, 1e-6);
  EXPECT_EQ(nlohmann::json::parse(read_text(trace))["traceEvents"].size(), steps.size());
  const Said said = skiff("profile --iterations=3 " + model);
  for (const char* column : {"device", "bytes", "GFLOP/s", "peak of the CPU"})
    EXPECT_TRUE(said.says(column)) << said.text;
}

/// A view that lies on its operand moves no bytes, so it has no speed either.
TEST(Profile, ViewsMoveNothing) {
  const fs::path source = shared_data() / "models/tflite/face_detection_short_range.tflite";
  if (!fs::exists(source)) GTEST_SKIP() << "no " << source.string() << " (set SKIFF_DATA)";
  const ScratchFolder scratch;
  const std::string model = scratch / "m.skiff";
  ASSERT_EQ(skiff_convert(source.string() + " -o " + model).code, 0);
  std::size_t views = 0;
  const auto json = skiff_json("profile --iterations=3 " + model, scratch);
  for (const auto& layer : json["layers"]) {
    const bool moves = layer["bytes"].get<std::int64_t>() > 0;
    EXPECT_EQ(layer["gbyte_per_s"].get<double>() > 0, moves) << layer;
    EXPECT_TRUE(moves || layer["op"] == "reshape") << layer;
    views += moves ? 0u : 1u;
  }
  EXPECT_GT(views, 0u);
}

}  // namespace
}  // namespace skiff::test
