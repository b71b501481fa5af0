#include "converters/describe.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "converters/task.h"
#include "converters/text_file.h"
#include "runtime/core/error.h"

namespace skiff::convert {
namespace {

constexpr auto kWrong = ErrorCode::invalid_argument;

void add_preprocess(const ConvertOptions& options, const Source& source, const ir::Graph& graph,
                    Manifest& manifest) {
  if (options.mean.empty() && options.std.empty() && !options.color) return;
  require(!graph.visible_inputs().empty() && graph.value(graph.inputs[0]).shape.rank() == 4, kWrong,
          "--mean, --std and --color need a model whose first input is an image of four axes");
  if (manifest.preprocess.empty()) {
    const bool channels_first = source.format == "onnx";
    fb::PreprocessT preprocess;
    preprocess.channel_axis = channels_first ? 1 : 3;
    preprocess.height_axis = channels_first ? 2 : 1;
    preprocess.width_axis = channels_first ? 3 : 2;
    manifest.preprocess.push_back(preprocess);
  }
  fb::PreprocessT& first = manifest.preprocess[0];
  if (!options.mean.empty()) first.mean = options.mean;
  if (!options.std.empty()) first.std = options.std;
  if (options.color) first.color = *options.color;
}

void check_numbers(const std::vector<float>& numbers, std::size_t channels, bool divides,
                   const std::string& what) {
  require(numbers.empty() || numbers.size() == channels, kWrong, what, " has ", numbers.size(),
          numbers.size() == 1 ? " entry" : " entries", ", the input has ", channels,
          channels == 1 ? " channel" : " channels");
  for (const float number : numbers)
    require(std::isfinite(number) && (number > 0 || !divides), kWrong, what, " holds ", number,
            divides ? ", should be above 0" : ", should be finite");
}

/// The loader's own rules.
void check_preprocess(const fb::PreprocessT& p, const ir::Graph& graph) {
  const auto inputs = graph.visible_inputs();
  require(p.input >= 0 && static_cast<std::size_t>(p.input) < inputs.size(), kWrong,
          "--task: the model has no input ", p.input, " that could take pictures");
  const ir::Value& input = graph.value(inputs[static_cast<std::size_t>(p.input)]);
  const std::string what = "pictures for input '" + input.name + "': ";
  for (const int axis : {p.height_axis, p.width_axis, p.channel_axis})
    require(axis >= 0 && axis < input.shape.rank(), kWrong, what, "axis ", axis, " of ",
            input.shape, " does not exist");
  require(p.height_axis != p.width_axis && p.height_axis != p.channel_axis &&
              p.width_axis != p.channel_axis,
          kWrong, what, "height, width and channels need an axis each");
  const std::size_t channels = p.color == fb::ColorOrder::gray ? 1 : 3;
  require(input.shape[p.channel_axis] == static_cast<std::int64_t>(channels), kWrong, what,
          "the colours ", fb::EnumNameColorOrder(p.color), " are ", channels,
          channels == 1 ? " channel" : " channels", ", the input ", input.shape, " has ",
          input.shape[p.channel_axis]);
  check_numbers(p.mean, channels, false, what + "mean");
  check_numbers(p.std, channels, true, what + "std");
  require(std::isfinite(p.pixel_scale) && std::isfinite(p.pad_value), kWrong, what,
          "pixel_scale and pad_value should be finite");
}

}  // namespace

void describe(const ConvertOptions& options, const Source& source, const ir::Graph& graph,
              Manifest& manifest) {
  if (!options.task.empty()) read_task(options.task, graph, manifest);
  add_preprocess(options, source, graph, manifest);
  for (const fb::PreprocessT& preprocess : manifest.preprocess) check_preprocess(preprocess, graph);
}

std::vector<std::string> read_labels(const std::string& path) {
  std::istringstream text(read_text_file(path, "--labels"));
  std::vector<std::string> labels;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    labels.push_back(std::move(line));
  }
  require(!labels.empty(), kWrong, "--labels ", path, ": the file holds no label");
  return labels;
}

}  // namespace skiff::convert
