#include "converters/uint8_input.h"

#include <algorithm>
#include <array>

#include "runtime/core/error.h"

namespace skiff::convert {
namespace {

constexpr int kAxes = 4;

/// The axes of the input in the order [N, H, W, C].
std::array<int, kAxes> channels_last(const fb::PreprocessT& p) {
  const int named = p.height_axis + p.width_axis + p.channel_axis;
  return {0 + 1 + 2 + 3 - named, p.height_axis, p.width_axis, p.channel_axis};
}

/// What describe() does not ask.
void check(const ir::Value& input) {
  require(input.dtype != DType::uint8, ErrorCode::unsupported, "--uint8-input: input '", input.name,
          "' holds uint8 already: leave the flag out");
  require(input.dtype == DType::float32, ErrorCode::unsupported, "--uint8-input: input '",
          input.name, "' holds ", input.dtype,
          "; pictures of float32 can be taken as pixels: convert the float32 model");
  require(input.shape.rank() == kAxes, ErrorCode::unsupported, "--uint8-input: input '", input.name,
          "' has the shape ", input.shape,
          "; pictures have four axes: cut the model with --from behind what makes them four");
}

/// Nodes put at the graph's beginning, each behind the one before.
class Beginning {
 public:
  explicit Beginning(ir::Graph& graph) : graph_(graph) {}

  ir::ValueId add(fb::OpKind op, const ir::Attributes& attrs, std::vector<ir::ValueId> inputs,
                  const std::string& name) {
    const ir::NodeId node = graph_.insert_node(count_++, op, attrs, std::move(inputs), name);
    graph_.node(node).source = "--uint8-input";
    return graph_.node(node).outputs[0];
  }

  ir::ValueId each_channel(fb::BinaryFunction function, ir::ValueId x,
                           const std::vector<float>& numbers, const std::string& name) {
    const ir::ValueId constant = graph_.add_constant<float>(
        name + "/numbers", {static_cast<std::int64_t>(numbers.size())}, numbers);
    fb::BinaryAttrsT attrs;
    attrs.function = function;
    return add(fb::OpKind::binary, attrs, {x, constant}, name);
  }

 private:
  ir::Graph& graph_;
  std::size_t count_ = 0;
};

/// (pixel / 255 * pixel_scale - mean) / std as pixel * factor + term.
ir::ValueId normalise(Beginning& beginning, const fb::PreprocessT& p, std::size_t channels,
                      ir::ValueId pixels, const std::string& name) {
  std::vector<float> factors, terms;
  for (std::size_t c = 0; c < channels; ++c) {
    const double std = p.std.empty() ? 1 : static_cast<double>(p.std[c]);
    const double mean = p.mean.empty() ? 0 : static_cast<double>(p.mean[c]);
    factors.push_back(static_cast<float>(static_cast<double>(p.pixel_scale) / 255 / std));
    terms.push_back(static_cast<float>(-mean / std));
  }
  const auto is = [](float number) { return [number](float x) { return x == number; }; };
  if (!std::ranges::all_of(factors, is(1)))
    pixels = beginning.each_channel(fb::BinaryFunction::mul, pixels, factors, name + "/scale");
  if (!std::ranges::all_of(terms, is(0)))
    pixels = beginning.each_channel(fb::BinaryFunction::add, pixels, terms, name + "/shift");
  return pixels;
}

void take_pixels_of(ir::Graph& graph, Beginning& beginning, const fb::PreprocessT& p) {
  const auto place = static_cast<std::size_t>(p.input);
  const ir::ValueId floats = graph.inputs[place];
  check(graph.value(floats));
  const std::string name = graph.value(floats).name;
  const std::array<int, kAxes> order = channels_last(p);
  fb::TransposeAttrsT back;
  back.perm.resize(kAxes);
  Shape shape;
  for (int axis = 0; axis < kAxes; ++axis) {
    const int from = order[static_cast<std::size_t>(axis)];
    shape.push_back(graph.value(floats).shape[from]);
    back.perm[static_cast<std::size_t>(from)] = axis;
  }
  graph.value(floats).name = name + "/float";
  const ir::ValueId pixels = graph.add_input(name, DType::uint8, shape);
  graph.inputs.pop_back();
  graph.inputs[place] = pixels;
  ir::ValueId x = beginning.add(fb::OpKind::cast, fb::CastAttrsT{}, {pixels}, name + "/cast");
  x = normalise(beginning, p, static_cast<std::size_t>(shape.back()), x, name);
  x = beginning.add(fb::OpKind::transpose, back, {x}, name + "/transpose");
  graph.replace_uses(floats, x);
}

/// What is left of preprocessing for such an input.
void keep_pixels(fb::PreprocessT& p) {
  p.mean.clear();
  p.std.clear();
  p.pixel_scale = 255;
  p.height_axis = 1;
  p.width_axis = 2;
  p.channel_axis = 3;
}

}  // namespace

void take_pixels(ir::Graph& graph, std::vector<fb::PreprocessT>& preprocess) {
  require(!preprocess.empty(), ErrorCode::invalid_argument,
          "--uint8-input: nothing says how a picture becomes an input: give --mean and --std, "
          "--color, or --task with preprocessing");
  Beginning beginning(graph);
  for (fb::PreprocessT& p : preprocess) {
    take_pixels_of(graph, beginning, p);
    keep_pixels(p);
  }
}

}  // namespace skiff::convert
