#include <algorithm>
#include <cstring>
#include <functional>

#include "tests/cli/tools.h"
#include "tests/support/model_samples.h"
#include "tests/support/shared_data.h"
#include "tests/support/skiff_file.h"

// Models that load and run but compute something else: `skiff verify` names the layer that was
// changed. The samples hold golden data of what they were, so the unchanged file must be right.
namespace skiff::test {
namespace {

using Bytes = std::vector<std::byte>;

fb::NodeT& node(fb::ModelT& model, const std::string& name) {
  for (auto& node : model.graphs[0]->nodes)
    if (node->name == name) return *node;
  throw Error(ErrorCode::not_found, "no node " + name);
}

/// The floats of the constant that is input `input` of a node, changed in place.
Bytes with_weights(Bytes file, const std::string& name, std::size_t input,
                   const std::function<void(std::span<float>)>& change) {
  fb::ModelT model;
  fb::GetModel(file.data() + 128)->UnPackTo(&model);
  const auto value = static_cast<std::size_t>(node(model, name).inputs.at(input));
  const auto buffer = static_cast<std::size_t>(model.graphs[0]->values[value]->buffer);
  std::vector<float> numbers(model.buffers.at(buffer)->size / sizeof(float));
  std::byte* place = file.data() + parts_of(file).data_offset + model.buffers[buffer]->offset;
  std::memcpy(numbers.data(), place, numbers.size() * sizeof(float));
  change(numbers);
  std::memcpy(place, numbers.data(), numbers.size() * sizeof(float));
  seal_data(file);
  return file;
}

struct Mutation {
  const char* what;
  const char* sample;
  const char* node;
  void (*attributes)(fb::NodeT& node) = nullptr;  ///< one of the two
  void (*weights)(std::span<float>) = nullptr;
  std::size_t input = 1;  ///< whose weights
};

const Mutation kMutations[] = {
    {.what = "one weight",
     .sample = "picture",
     .node = "conv",
     .weights = [](auto w) { w[5] = -w[5]; }},
    {.what = "one bias",
     .sample = "picture",
     .node = "depthwise",
     .weights = [](auto b) { b[2] += 0.5f; },
     .input = 2},
    {"activation", "picture", "conv",
     [](auto& n) { n.attrs.AsConvAttrs()->activation = fb::UnaryFunction::none; }},
    {"padding", "picture", "depthwise",
     [](auto& n) {
       n.attrs.AsConvAttrs()->pads = {0, 0, 2, 2};
     }},
    {"stride of a window", "picture", "conv",  // end padding keeps the size
     [](auto& n) {
       n.attrs.AsConvAttrs()->strides = {3, 3};
       n.attrs.AsConvAttrs()->pads = {1, 1, 3, 3};
     }},
    {"stride of a slice", "shapes", "back", [](auto& n) { n.attrs.AsSliceAttrs()->steps[1] = -1; }},
    {"pool's function", "picture", "pool",
     [](auto& n) { n.attrs.AsPoolAttrs()->function = fb::PoolFunction::average; }},
    {"swapped inputs", "numbers", "either", [](auto& n) { std::swap(n.inputs[1], n.inputs[2]); }},
    {"swapped operands", "numbers", "less", [](auto& n) { std::swap(n.inputs[0], n.inputs[1]); }},
    {"epsilon", "sequence", "normal", [](auto& n) { n.attrs.AsNormAttrs()->epsilon = 0.1f; }},
    {"resize mode", "shapes", "resized",
     [](auto& n) { n.attrs.AsResizeAttrs()->mode = fb::ResizeMode::nearest; }},
    {"softmax axis", "sequence", "shares", [](auto& n) { n.attrs.AsSoftmaxAttrs()->axis = 1; }},
    {"permutation", "shapes", "turned",
     [](auto& n) {
       n.attrs.AsTransposeAttrs()->perm = {0, 3, 2, 1};
     }},
    {"order of a join", "shapes", "joined", [](auto& n) { std::swap(n.inputs[0], n.inputs[1]); }},
    {"border", "shapes", "padded",
     [](auto& n) { n.attrs.AsPadAttrs()->mode = fb::PadMode::constant; }},
    {"place of a gate", "sequence", "gru",
     [](auto& n) { n.attrs.AsRnnAttrs()->linear_before_reset = true; }},
    {"scale of a product", "sequence", "match",
     [](auto& n) { n.attrs.AsMatMulAttrs()->scale = 0.51f; }},
    {"direction", "numbers", "run", [](auto& n) { n.attrs.AsCumulativeAttrs()->reverse = true; }},
    {"largest or smallest", "numbers", "two",
     [](auto& n) { n.attrs.AsTopKAttrs()->largest = false; }},
    {"reduction of open sizes", "sizes", "mean",
     [](auto& n) { n.attrs.AsReduceAttrs()->function = fb::ReduceFunction::maximum; }},
};

Bytes sample_file(const std::string& name) {
  const auto samples = model_samples();
  return file_of(*std::find_if(samples.begin(), samples.end(),
                               [&](const ModelSample& sample) { return sample.name == name; }));
}

/// What `verify` finds of the first golden case.
nlohmann::json verified(const std::string& arguments, const ScratchFolder& scratch) {
  const std::string file = scratch / "verified.json";
  const Said said = skiff("verify " + arguments + " --json=" + file);
  const auto result = nlohmann::json::parse(read_text(file), nullptr, false);
  EXPECT_EQ(said.code, result["right"].get<bool>() ? 0 : 1) << said.text;
  return result["cases"][0];
}

/// The name of the first layer that is off; "" when all is right.
std::string first_off(const nlohmann::json& golden) {
  return golden.contains("first_off") ? golden["first_off"]["name"].get<std::string>() : "";
}
std::string first_off(const std::string& arguments, const ScratchFolder& scratch) {
  return first_off(verified(arguments, scratch));
}

class VerifyMutation : public testing::TestWithParam<Mutation> {};

TEST_P(VerifyMutation, IsNamedAtItsLayer) {
  const Mutation& m = GetParam();
  const ScratchFolder scratch;
  const Bytes right = sample_file(m.sample);
  const Bytes wrong =
      m.weights != nullptr
          ? with_weights(right, m.node, m.input, m.weights)
          : with_metadata(right, [&](fb::ModelT& model) { m.attributes(node(model, m.node)); });
  write_bytes(scratch / "right.skiff", right);
  write_bytes(scratch / "wrong.skiff", wrong);
  for (const std::string& name : isas_here(scratch)) {
    const std::string isa = " --isa=" + name;
    EXPECT_EQ(first_off(scratch / "right.skiff" + isa, scratch), "") << isa;
    EXPECT_EQ(first_off(scratch / "wrong.skiff" + isa, scratch), m.node) << m.what << isa;
    EXPECT_EQ(first_off(scratch / "wrong.skiff --fuse=on" + isa, scratch), m.node) << m.what << isa;
  }
}

INSTANTIATE_TEST_SUITE_P(Samples, VerifyMutation, testing::ValuesIn(kMutations),
                         [](const auto& test) { return test_label(test.param.what); });

/// A real network whose convolutions can be fused, with a golden case of another implementation.
class VerifyRealNetwork : public testing::Test {
 protected:
  void SetUp() override { convert("tflite/face_detection_short_range.tflite"); }

  void convert(const std::string& source) {
    const auto golden = golden_files(source, std::filesystem::path(source).stem().string() + ".");
    if (golden.empty()) GTEST_SKIP() << "no shared data for " << source << " (set SKIFF_DATA)";
    const Said converted = skiff_convert((shared_data() / "models" / source).string() + " -o " +
                                         right_ + " --golden " + golden[0].string());
    ASSERT_EQ(converted.code, 0) << converted.text;
    const std::string text = read_text(right_);
    const auto bytes = std::as_bytes(std::span(text));
    file_.assign(bytes.begin(), bytes.end());
  }

  std::vector<std::string> convolutions() const {
    fb::ModelT model;
    fb::GetModel(file_.data() + 128)->UnPackTo(&model);
    std::vector<std::string> names;
    for (const auto& node : model.graphs[0]->nodes)
      if (node->op == fb::OpKind::conv) names.push_back(node->name);
    return names;
  }

  void damage(const std::string& layer) {
    write_bytes(wrong_, with_weights(file_, layer, 1, [](auto weights) {
                  for (float& w : weights) w *= 1.1f;
                }));
  }

  const ScratchFolder scratch_;
  const std::string right_ = scratch_ / "right.skiff", wrong_ = scratch_ / "wrong.skiff";
  Bytes file_;
};

TEST_F(VerifyRealNetwork, EveryLayerIsNamedAlsoWhereFused) {
  EXPECT_EQ(first_off(right_, scratch_), "");
  std::size_t layers = 0, fused = 0;
  for (const std::string& layer : convolutions()) {
    damage(layer);
    const auto golden = verified(wrong_ + " --fuse=on", scratch_);
    EXPECT_EQ(first_off(golden), layer);
    if (golden.contains("fused_off")) ++fused;
    ++layers;
  }
  EXPECT_GT(layers, 20u);
  EXPECT_GT(fused, 20u);
  EXPECT_LT(fused, layers);
}

class VerifyElementwise : public VerifyRealNetwork {
 protected:
  void SetUp() override { convert("onnx/version-RFB-320.onnx"); }
};

/// Boxes are made of offsets by chains of binary operators.
TEST_F(VerifyElementwise, LayersAreNamedWithinAChain) {
  EXPECT_EQ(first_off(right_, scratch_), "");
  for (const char* layer : {"464", "466", "468"}) {
    write_bytes(wrong_, with_metadata(file_, [&](fb::ModelT& model) {
                  node(model, layer).attrs.AsBinaryAttrs()->function = fb::BinaryFunction::sub;
                }));
    const auto golden = verified(wrong_, scratch_);
    EXPECT_EQ(first_off(golden), layer);
    EXPECT_TRUE(golden.contains("fused_off"));
  }
}

TEST_F(VerifyRealNetwork, SaysWhyItCouldNotLookInsideOfAFusedLayer) {
  const auto total = [&](const char* fuse) {
    const auto memory = skiff_json("inspect --memory " + right_ + fuse, scratch_)["memory"];
    return memory["total"].get<std::uint64_t>();
  };
  const std::uint64_t limit = total(" --fuse=on") / 1024 + 1;
  ASSERT_LT(1024 * limit, total(" --fuse=off"));
  damage(convolutions()[1]);
  const Said said = skiff(fmt::format("verify {} --fuse=on --memory-limit={}K", wrong_, limit));
  EXPECT_EQ(said.code, 1);
  EXPECT_TRUE(said.says("could not be run without fusing")) << said.text;
  EXPECT_TRUE(said.says("the limit is")) << said.text;
}

}  // namespace
}  // namespace skiff::test
