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

void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// The flags that choose each of this machine's instruction sets.
std::vector<std::string> isa_flags(const ScratchFolder& scratch) {
  std::vector<std::string> flags;
  for (const auto& isa : skiff_json("doctor", scratch)["isas"])
    flags.push_back(" --isa=" + isa.get<std::string>());
  return flags;
}

/// The name of the first layer that is off; "" when all is right.
std::string first_off(const std::string& arguments, const ScratchFolder& scratch) {
  const std::string file = scratch / "verified.json";
  const Said said = skiff("verify " + arguments + " --json=" + file);
  const auto result = nlohmann::json::parse(read_text(file), nullptr, false);
  EXPECT_EQ(said.code, result["right"].get<bool>() ? 0 : 1) << said.text;
  const auto& golden = result["cases"][0];
  return golden.contains("first_off") ? golden["first_off"]["name"].get<std::string>() : "";
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
  for (const std::string& isa : isa_flags(scratch)) {
    EXPECT_EQ(first_off(scratch / "right.skiff" + isa, scratch), "") << isa;
    EXPECT_EQ(first_off(scratch / "wrong.skiff" + isa, scratch), m.node) << m.what << isa;
  }
}

INSTANTIATE_TEST_SUITE_P(Samples, VerifyMutation, testing::ValuesIn(kMutations),
                         [](const auto& test) { return test_label(test.param.what); });

/// Every layer with weights of a real network, one after another.
TEST(VerifyMutations, EveryLayerOfARealNetwork) {
  const std::string source = "tflite/face_detection_short_range.tflite";
  const auto golden = golden_files(source, "face_detection_short_range.");
  if (golden.empty()) GTEST_SKIP() << "no shared data for " << source << " (set SKIFF_DATA)";
  const ScratchFolder scratch;
  const std::string path = scratch / "net.skiff";
  const Said converted = skiff_convert((shared_data() / "models" / source).string() + " -o " +
                                       path + " --golden " + golden[0].string());
  ASSERT_EQ(converted.code, 0) << converted.text;
  EXPECT_EQ(first_off(path, scratch), "");
  const std::string text = read_text(path);
  const auto bytes = std::as_bytes(std::span(text));
  const Bytes file(bytes.begin(), bytes.end());
  fb::ModelT model;
  fb::GetModel(file.data() + 128)->UnPackTo(&model);
  std::size_t layers = 0;
  for (const auto& layer : model.graphs[0]->nodes) {
    if (layer->op != fb::OpKind::conv) continue;
    write_bytes(scratch / "wrong.skiff", with_weights(file, layer->name, 1, [](auto weights) {
                  for (float& w : weights) w *= 1.1f;
                }));
    // Fused layers have no results of their own to be compared.
    EXPECT_EQ(first_off(scratch / "wrong.skiff" + " --fuse=off", scratch), layer->name);
    ++layers;
  }
  EXPECT_GT(layers, 20u);
}

}  // namespace
}  // namespace skiff::test
