#include "tests/cli/tools.h"
#include "tests/cuda/double/control.h"
#include "tests/support/shared_data.h"

// The device tool on a GPU: what it says of where a network ran.
namespace skiff::test {
namespace {

class ToolOnGpu : public testing::Test {
 protected:
  void SetUp() override {
    setenv("SKIFF_CUDA_MODULE", SKIFF_EMULATED_MODULE, 1);
    if (!fs::exists(shared_data() / "models")) GTEST_SKIP() << "no shared models (set SKIFF_DATA)";
  }
  void TearDown() override { unsetenv("SKIFF_CUDA_MODULE"); }

  /// A shared model, converted.
  std::string model(const std::string& file) const {
    const std::string out = scratch_ / "m.skiff";
    const Said said =
        skiff_convert((shared_data() / "models" / file).string() + " --golden auto -o " + out);
    EXPECT_EQ(said.code, 0) << said.text;
    return out;
  }

  ScratchFolder scratch_;
};

void expect_gpu(const nlohmann::json& json) {
  EXPECT_EQ(json["device"], "cuda");
  const auto& gpu = json["environment"]["gpu"];
  EXPECT_EQ(gpu["name"], "CUDA double") << json["environment"];
  for (const char* version : {"driver", "cuda", "cudnn"})
    EXPECT_TRUE(gpu.contains(version)) << version;
}

TEST_F(ToolOnGpu, NamesTheGpuThatItMeasured) {
  const std::string flags = " --device=cuda " + model("onnx/mnist.onnx");
  const std::string quick = "bench --duration=0 --warmUp=0 --iterations=1" + flags;
  expect_gpu(skiff_json(quick, scratch_));
  expect_gpu(skiff_json("verify" + flags, scratch_));
  expect_gpu(skiff_json("profile --iterations=2" + flags, scratch_));
  for (const std::string& command : {quick, "verify" + flags, "profile --iterations=2" + flags}) {
    const Said said = skiff(command);
    EXPECT_TRUE(said.says("cuda (CUDA double, sm_87")) << said.text;
    EXPECT_TRUE(said.says("cuDNN 9")) << said.text;
  }
}

TEST_F(ToolOnGpu, SaysWhatTheContextTakes) {
  const std::string file = model("onnx/mnist.onnx"), flags = " --device=cuda " + file;
  const std::string quick = "bench --duration=0 --warmUp=0 --iterations=1";
  for (const std::string& command : {quick + flags, "inspect --memory" + flags}) {
    const auto memory = skiff_json(command, scratch_)["memory"];
    EXPECT_EQ(memory["context"], kCudaDoubleContext) << memory;
    EXPECT_LT(memory["total"], kCudaDoubleContext);
    EXPECT_TRUE(skiff(command).says("200.0 MiB  CUDA's context and libraries"))
        << skiff(command).text;
  }
  EXPECT_FALSE(skiff_json(quick + " --device=cpu " + file, scratch_)["memory"].contains("context"));
}

TEST_F(ToolOnGpu, LayersAreNotComparedWithTheCpusPeak) {
  const std::string command = "profile --iterations=2 --device=cuda " + model("onnx/mnist.onnx");
  const auto json = skiff_json(command, scratch_);
  EXPECT_FALSE(json.contains("peak_gflop_per_s"));
  for (const auto& layer : json["layers"]) {
    EXPECT_EQ(layer["device"], "cuda");
    EXPECT_FALSE(layer.contains("share_of_peak")) << layer;
  }
  EXPECT_FALSE(skiff(command).says("peak of the CPU"));
}

TEST_F(ToolOnGpu, PlacementCountsWhatIsCopied) {
  const auto json =
      skiff_json("inspect --placement --device=cuda " + model("onnx/mnist.onnx"), scratch_);
  ASSERT_EQ(json["borders"].size(), 2u) << json["borders"];
  EXPECT_EQ(json["borders"][0]["to"], "cuda");
  EXPECT_EQ(json["borders"][0]["bytes"], 28 * 28 * 4);
  EXPECT_EQ(json["borders"][1]["to"], "cpu");
  EXPECT_EQ(json["borders"][1]["bytes"], 10 * 4);
  EXPECT_EQ(json["placement"]["bytes_to_gpu"], 28 * 28 * 4);
  EXPECT_EQ(json["placement"]["bytes_to_cpu"], 10 * 4);
  EXPECT_EQ(json["placement"]["cpu_steps"], 0);
}

TEST_F(ToolOnGpu, PlacementSaysWhyAStepIsTheCpus) {
  const std::string command =
      "inspect --placement --device=cuda " + model("tflite/trained_lstm.tflite");
  const auto json = skiff_json(command, scratch_);
  std::size_t on_cpu = 0;
  for (const auto& step : json["steps"]) {
    EXPECT_EQ(step.contains("why_cpu"), step["device"] == "cpu") << step;
    if (step["device"] != "cpu") continue;
    ++on_cpu;
    EXPECT_FALSE(step["why_cpu"].get<std::string>().empty()) << step;
  }
  EXPECT_GT(on_cpu, 0u);
  EXPECT_EQ(json["placement"]["cpu_steps"].get<std::size_t>(), on_cpu);
  std::uint64_t to_gpu = 0;
  for (const auto& border : json["borders"])
    if (border["to"] == "cuda") to_gpu += border["bytes"].get<std::uint64_t>();
  EXPECT_EQ(json["placement"]["bytes_to_gpu"].get<std::uint64_t>(), to_gpu);
  const Said said = skiff(command);
  EXPECT_TRUE(said.says("copy") && said.says("B to the GPU")) << said.text;
  EXPECT_TRUE(said.says("the CPU: the GPU has no kernel")) << said.text;
}

TEST_F(ToolOnGpu, MemoryNamesTheGpusPart) {
  const std::string network = model("onnx/mnist.onnx");
  const auto on_gpu = skiff_json("inspect --memory --device=cuda " + network, scratch_)["memory"];
  EXPECT_GT(on_gpu["device_arena"].get<std::uint64_t>(), 0u);
  EXPECT_LE(on_gpu["device_arena"].get<std::uint64_t>(), on_gpu["arena"].get<std::uint64_t>());
  EXPECT_TRUE(skiff("inspect --memory --device=cuda " + network).says("on the GPU"));
  const auto on_cpu = skiff_json("inspect --memory --device=cpu " + network, scratch_)["memory"];
  EXPECT_EQ(on_cpu["device_arena"], 0);
}

}  // namespace
}  // namespace skiff::test
