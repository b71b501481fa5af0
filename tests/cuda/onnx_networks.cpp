#include "tests/cuda/onnx_networks.h"

#include <cmath>
#include <map>

#include "runtime/core/error.h"

namespace skiff::test {
namespace {

/// A value of the network under construction: [1, channels, size, size], or [1, size, channels].
struct Tensor {
  std::string name;
  std::int64_t channels, size;
};

enum class Act { none, relu, relu6, silu, sigmoid };

class Maker {
 public:
  OnnxNetwork made;

  Tensor input(std::int64_t channels, std::int64_t size) {
    made.onnx.input("input", {1, channels, size, size});
    return {"input", channels, size};
  }
  void output(const Tensor& x) { made.onnx.output(x.name); }

  std::string node(const std::string& op, const Names& inputs) {
    const std::string name = fresh();
    made.onnx.node(op, inputs, {name});
    return name;
  }

  /// `spread`: the standard deviation times the root of `fan`.
  std::string weights(std::vector<std::int64_t> dims, std::int64_t fan, float spread = 1.4f) {
    std::int64_t count = 1;
    for (std::int64_t extent : dims) count *= extent;
    const float range = spread * std::sqrt(3.0f / static_cast<float>(fan));
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      value = range * (static_cast<float>(state_ >> 40) / 8388608.0f - 1);
    }
    made.parameters += count;
    const std::string name = fresh();
    made.onnx.floats(name, std::move(dims), std::move(values));
    return name;
  }

  struct Conv {
    std::int64_t kernel = 1, stride = 1, group = 1;
    Act act = Act::none;
    bool norm = true;
  };
  Tensor conv(const Tensor& x, std::int64_t channels, const Conv& c) {
    const std::int64_t each = x.channels / c.group, fan = each * c.kernel * c.kernel;
    const std::int64_t pad = c.stride == c.kernel ? 0 : c.kernel / 2;
    const std::int64_t size = (x.size + 2 * pad - c.kernel) / c.stride + 1;
    const std::string weight =
        weights({channels, each, c.kernel, c.kernel}, fan, c.act == Act::none ? 0.5f : 1.4f);
    const std::string bias = weights({channels}, 100);
    if (c.norm) made.parameters += channels;
    made.products += size * size * channels * fan;
    const std::string name = node("Conv", {x.name, weight, bias});
    made.onnx.attr("kernel_shape", {c.kernel, c.kernel})
        .attr("strides", {c.stride, c.stride})
        .attr("pads", {pad, pad, pad, pad})
        .attr("group", c.group);
    return act({name, channels, size}, c.act);
  }

  Tensor act(Tensor x, Act act) {
    if (act == Act::relu) x.name = node("Relu", {x.name});
    if (act == Act::relu6) x.name = node("Clip", {x.name, scalar(0), scalar(6)});
    if (act == Act::sigmoid) x.name = node("Sigmoid", {x.name});
    if (act == Act::silu) x.name = node("Mul", {x.name, node("Sigmoid", {x.name})});
    return x;
  }
  Tensor binary(const std::string& op, const Tensor& a, const Tensor& b) {
    return {node(op, {a.name, b.name}), a.channels, a.size};
  }
  Tensor max_pool(const Tensor& x, std::int64_t kernel, std::int64_t stride) {
    const std::int64_t pad = kernel / 2;
    const std::string name = node("MaxPool", {x.name});
    made.onnx.attr("kernel_shape", {kernel, kernel})
        .attr("strides", {stride, stride})
        .attr("pads", {pad, pad, pad, pad});
    return {name, x.channels, (x.size - 1) / stride + 1};
  }
  Tensor average(const Tensor& x) { return {node("GlobalAveragePool", {x.name}), x.channels, 1}; }
  Tensor concat(const std::vector<Tensor>& parts, std::int64_t axis) {
    Names names;
    Tensor joined{"", 0, axis == 1 ? parts[0].size : 0};
    for (const Tensor& part : parts) {
      names.push_back(part.name);
      (axis == 1 ? joined.channels : joined.size) += axis == 1 ? part.channels : part.size;
    }
    if (axis != 1) joined.channels = parts[0].channels;
    joined.name = node("Concat", names);
    made.onnx.attr("axis", axis);
    return joined;
  }

  std::string reshape(const std::string& x, std::vector<std::int64_t> dims) {
    const std::string shape = fresh();
    made.onnx.integers(shape, std::move(dims));
    return node("Reshape", {x, shape});
  }
  std::string transpose(const std::string& x, std::initializer_list<std::int64_t> order) {
    const std::string name = node("Transpose", {x});
    made.onnx.attr("perm", order);
    return name;
  }
  std::string scalar(float value) {
    const std::string name = fresh();
    made.onnx.floats(name, {}, {value});
    return name;
  }
  /// Over the last axis, of `rows` vectors.
  std::string linear(const std::string& x, std::int64_t from, std::int64_t to, std::int64_t rows) {
    const std::string weight = weights({from, to}, from, 0.7f), bias = weights({to}, 1000);
    made.products += rows * from * to;
    return node("Add", {node("MatMul", {x, weight}), bias});
  }
  void classify(const Tensor& x, std::int64_t classes) {
    const std::string name = reshape(average(x).name, {1, x.channels});
    output({linear(name, x.channels, classes, 1), classes, 1});
  }
  std::string layer_norm(const std::string& x, std::int64_t width) {
    const std::string scale = fresh();
    made.onnx.floats(scale, {width}, std::vector<float>(static_cast<std::size_t>(width), 1));
    made.parameters += width;
    const std::string name = node("LayerNormalization", {x, scale, weights({width}, 1000)});
    made.onnx.attr("axis", std::int64_t{-1}).attr("epsilon", 1e-5f);
    return name;
  }
  std::string gelu(const std::string& x) {
    const std::string erf = node("Erf", {node("Div", {x, scalar(1.41421356f)})});
    return node("Mul", {node("Mul", {x, node("Add", {erf, scalar(1)})}), scalar(0.5f)});
  }

 private:
  std::string fresh() { return "v" + std::to_string(++count_); }

  int count_ = 0;
  std::uint64_t state_ = 7;
};

void resnet50(Maker& m) {
  Tensor x = m.conv(m.input(3, 224), 64, {.kernel = 7, .stride = 2, .act = Act::relu});
  x = m.max_pool(x, 3, 2);
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < blocks[stage]; ++block) {
      const std::int64_t width = std::int64_t{64} << stage;
      const std::int64_t stride = block == 0 && stage > 0 ? 2 : 1;
      Tensor y = m.conv(x, width, {.act = Act::relu});
      y = m.conv(y, width, {.kernel = 3, .stride = stride, .act = Act::relu});
      y = m.conv(y, 4 * width, {});
      if (block == 0) x = m.conv(x, 4 * width, {.stride = stride});
      x = m.act(m.binary("Add", y, x), Act::relu);
    }
  m.classify(x, 1000);
}

struct Stage {
  std::int64_t expand, kernel, stride, channels;
  int blocks;
};

/// An inverted residual, with squeeze-and-excitation where `squeezed` is not 0.
Tensor inverted(Maker& m, const Tensor& x, const Stage& s, std::int64_t stride, Act act,
                std::int64_t squeezed) {
  const std::int64_t wide = x.channels * s.expand;
  Tensor y = s.expand == 1 ? x : m.conv(x, wide, {.act = act});
  y = m.conv(y, wide, {.kernel = s.kernel, .stride = stride, .group = wide, .act = act});
  if (squeezed != 0) {
    Tensor gate = m.conv(m.average(y), squeezed, {.act = act, .norm = false});
    gate = m.conv(gate, wide, {.act = Act::sigmoid, .norm = false});
    y = m.binary("Mul", y, gate);
  }
  y = m.conv(y, s.channels, {});
  return stride == 1 && x.channels == s.channels ? m.binary("Add", x, y) : y;
}

void inverted_network(Maker& m, const std::vector<Stage>& stages, Act act, bool squeezes) {
  Tensor x = m.conv(m.input(3, 224), 32, {.kernel = 3, .stride = 2, .act = act});
  for (const Stage& stage : stages)
    for (int block = 0; block < stage.blocks; ++block)
      x = inverted(m, x, stage, block == 0 ? stage.stride : 1, act, squeezes ? x.channels / 4 : 0);
  m.classify(m.conv(x, 1280, {.act = act}), 1000);
}

void mobilenet_v2(Maker& m) {
  inverted_network(m,
                   {{1, 3, 1, 16, 1},
                    {6, 3, 2, 24, 2},
                    {6, 3, 2, 32, 3},
                    {6, 3, 2, 64, 4},
                    {6, 3, 1, 96, 3},
                    {6, 3, 2, 160, 3},
                    {6, 3, 1, 320, 1}},
                   Act::relu6, false);
}

void efficientnet_b0(Maker& m) {
  inverted_network(m,
                   {{1, 3, 1, 16, 1},
                    {6, 3, 2, 24, 2},
                    {6, 5, 2, 40, 2},
                    {6, 3, 2, 80, 3},
                    {6, 5, 1, 112, 3},
                    {6, 5, 2, 192, 4},
                    {6, 3, 1, 320, 1}},
                   Act::silu, true);
}

/// A 1x1, a chain of steps on one half of its channels (on all where it pools), a 1x1 over
/// everything the chain met.
Tensor cross_stage(Maker& m, const Tensor& x, std::int64_t channels, int depth, bool residual,
                   bool pools = false) {
  const std::int64_t half = channels / 2;
  std::vector<Tensor> parts;
  if (pools) {
    parts = {m.conv(x, half, {.act = Act::silu})};
  } else {
    const Tensor both = m.conv(x, channels, {.act = Act::silu});
    const std::string first = m.node("Split", {both.name}), second = first + "b";
    m.made.onnx.attr("axis", std::int64_t{1});
    m.made.onnx.graph().mutable_node(m.made.onnx.graph().node_size() - 1)->add_output(second);
    parts = {{first, half, x.size}, {second, half, x.size}};
  }
  for (int step = 0; step < depth; ++step) {
    const Tensor last = parts.back();
    Tensor y = last;
    if (pools)
      y = m.max_pool(y, 5, 1);
    else
      for (int i = 0; i < 2; ++i) y = m.conv(y, half, {.kernel = 3, .act = Act::silu});
    parts.push_back(residual ? m.binary("Add", last, y) : y);
  }
  return m.conv(m.concat(parts, 1), channels, {.act = Act::silu});
}

Tensor down(Maker& m, const Tensor& x, std::int64_t channels) {
  return m.conv(x, channels, {.kernel = 3, .stride = 2, .act = Act::silu});
}

Tensor up(Maker& m, const Tensor& x) {
  const std::string scales = x.name + "scales";
  m.made.onnx.floats(scales, {4}, {1, 1, 2, 2});
  const std::string name = m.node("Resize", {x.name, "", scales});
  m.made.onnx.attr("mode", std::string("nearest"))
      .attr("coordinate_transformation_mode", std::string("asymmetric"))
      .attr("nearest_mode", std::string("floor"));
  return {name, x.channels, 2 * x.size};
}

Tensor head(Maker& m, const Tensor& x, std::int64_t middle, std::int64_t channels) {
  Tensor y = x;
  for (int i = 0; i < 2; ++i) y = m.conv(y, middle, {.kernel = 3, .act = Act::silu});
  return m.conv(y, channels, {.norm = false});
}

void yolo_like(Maker& m) {
  Tensor p8 = cross_stage(m, down(m, down(m, m.input(3, 640), 16), 32), 32, 1, true);
  p8 = cross_stage(m, down(m, p8, 64), 64, 2, true);
  Tensor p16 = cross_stage(m, down(m, p8, 128), 128, 2, true);
  Tensor p32 = cross_stage(m, down(m, p16, 256), 256, 1, true);
  p32 = cross_stage(m, p32, 256, 3, false, true);
  p16 = cross_stage(m, m.concat({up(m, p32), p16}, 1), 128, 1, false);
  p8 = cross_stage(m, m.concat({up(m, p16), p8}, 1), 64, 1, false);
  p16 = cross_stage(m, m.concat({down(m, p8, 64), p16}, 1), 128, 1, false);
  p32 = cross_stage(m, m.concat({down(m, p16, 128), p32}, 1), 256, 1, false);
  std::vector<Tensor> levels;
  for (const Tensor& p : {p8, p16, p32}) {
    const Tensor scores = m.act(head(m, p, 80, 80), Act::sigmoid);
    const Tensor both = m.concat({head(m, p, 64, 64), scores}, 1);
    levels.push_back({m.reshape(both.name, {1, 144, p.size * p.size}), 144, p.size * p.size});
  }
  m.output(m.concat(levels, 2));
}

constexpr std::int64_t kWidth = 768, kHeads = 12;

std::string attention(Maker& m, const std::string& x, std::int64_t rows) {
  const auto split = [&](std::initializer_list<std::int64_t> order) {
    const std::string y = m.linear(x, kWidth, kWidth, rows);
    return m.transpose(m.reshape(y, {1, rows, kHeads, kWidth / kHeads}), order);
  };
  const std::string q = split({0, 2, 1, 3}), k = split({0, 2, 3, 1}), v = split({0, 2, 1, 3});
  const std::string scores = m.node("Mul", {m.node("MatMul", {q, k}), m.scalar(0.125f)});
  const std::string shares = m.node("Softmax", {scores});
  m.made.onnx.attr("axis", std::int64_t{-1});
  const std::string mixed = m.transpose(m.node("MatMul", {shares, v}), {0, 2, 1, 3});
  return m.linear(m.reshape(mixed, {1, rows, kWidth}), kWidth, kWidth, rows);
}

std::string two_layers(Maker& m, const std::string& x, std::int64_t rows) {
  const std::string wide = m.gelu(m.linear(x, kWidth, 4 * kWidth, rows));
  return m.linear(wide, 4 * kWidth, kWidth, rows);
}

void bert_base_128(Maker& m) {
  constexpr std::int64_t kRows = 128;
  m.made.onnx.input("input", {1, kRows, kWidth});
  std::string x = "input";
  for (int layer = 0; layer < 12; ++layer) {
    x = m.layer_norm(m.node("Add", {x, attention(m, x, kRows)}), kWidth);
    x = m.layer_norm(m.node("Add", {x, two_layers(m, x, kRows)}), kWidth);
  }
  m.output({x, kWidth, kRows});
}

void vit_b_16(Maker& m) {
  constexpr std::int64_t kPatches = 196, kRows = kPatches + 1;
  const Tensor patches =
      m.conv(m.input(3, 224), kWidth, {.kernel = 16, .stride = 16, .norm = false});
  const std::string rows = m.transpose(m.reshape(patches.name, {1, kWidth, kPatches}), {0, 2, 1});
  std::string x = m.node("Concat", {m.weights({1, 1, kWidth}, 1000), rows});
  m.made.onnx.attr("axis", std::int64_t{1});
  x = m.node("Add", {x, m.weights({1, kRows, kWidth}, 1000)});
  for (int layer = 0; layer < 12; ++layer) {
    x = m.node("Add", {x, attention(m, m.layer_norm(x, kWidth), kRows)});
    x = m.node("Add", {x, two_layers(m, m.layer_norm(x, kWidth), kRows)});
  }
  const std::string first = "first";
  m.made.onnx.integers(first, {0});
  x = m.node("Gather", {m.layer_norm(x, kWidth), first});
  m.made.onnx.attr("axis", std::int64_t{1});
  m.output({m.linear(m.reshape(x, {1, kWidth}), kWidth, 1000, 1), 1000, 1});
}

const std::map<std::string, void (*)(Maker&)>& makers() {
  static const std::map<std::string, void (*)(Maker&)> all{{"resnet50", resnet50},
                                                           {"mobilenet_v2", mobilenet_v2},
                                                           {"efficientnet_b0", efficientnet_b0},
                                                           {"yolo_like", yolo_like},
                                                           {"bert_base_128", bert_base_128},
                                                           {"vit_b_16", vit_b_16}};
  return all;
}

}  // namespace

std::vector<std::string> onnx_network_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : makers()) names.push_back(name);
  return names;
}

OnnxNetwork onnx_network(const std::string& name) {
  const auto found = makers().find(name);
  std::string list;
  for (const std::string& each : onnx_network_names()) list += " " + each;
  require(found != makers().end(), ErrorCode::not_found, "no network '", name, "':", list);
  Maker maker;
  found->second(maker);
  return std::move(maker.made);
}

}  // namespace skiff::test
