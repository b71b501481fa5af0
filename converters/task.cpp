#include "converters/task.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "converters/text_file.h"
#include "runtime/core/error.h"

namespace skiff::convert {
namespace {

using nlohmann::json;

template <typename... Pieces>
[[noreturn]] void wrong(const Pieces&... pieces) {
  fail(ErrorCode::invalid_argument, "--task: ", pieces...);
}

/// The object's members, each of which must be taken; what is left over is a mistake.
class Fields {
 public:
  Fields(const json& object, std::string what) : rest_(object), what_(std::move(what)) {
    if (!rest_.is_object()) wrong("'", what_, "' is not an object");
  }
  ~Fields() noexcept(false) {
    if (std::uncaught_exceptions() == 0 && !rest_.empty())
      wrong("'", what_, "' has no key '", rest_.begin().key(), "'");
  }
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  bool has(const char* key) const { return rest_.contains(key); }
  json take(const char* key) {
    json value = rest_.value(key, json());
    rest_.erase(key);
    return value;
  }
  template <typename T>
  void read(const char* key, T& to) {
    if (!has(key)) return;
    try {
      to = take(key).get<T>();
    } catch (const json::exception&) {
      wrong("'", what_, ".", key, "' has the wrong type");
    }
  }
  template <typename Enum>
  void read_enum(const char* key, Enum& to, const char* const* names) {
    if (!has(key)) return;
    const json value = take(key);
    for (int i = 0; names[i] != nullptr; ++i)
      if (value.is_string() ? value.get<std::string>() == names[i] : value == i) {
        to = static_cast<Enum>(i);
        return;
      }
    wrong("'", what_, ".", key, "' is not known: ", value.dump());
  }
  /// An index into `ids`, given as it is or as the value's name.
  void read_index(const char* key, std::int32_t& to, const ir::Graph& graph,
                  std::span<const ir::ValueId> ids) {
    if (!has(key)) return;
    const json value = take(key);
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (value.is_string() ? value.get<std::string>() == graph.value(ids[i]).name : value == i) {
        to = static_cast<std::int32_t>(i);
        return;
      }
    wrong("'", what_, ".", key, "' names no tensor of the model: ", value.dump());
  }

 private:
  json rest_;
  std::string what_;
};

fb::PreprocessT read_preprocess(const json& object, const ir::Graph& graph) {
  fb::PreprocessT result;
  Fields fields(object, "preprocess");
  fields.read_index("input", result.input, graph, graph.visible_inputs());
  fields.read_enum("color", result.color, fb::EnumNamesColorOrder());
  fields.read_enum("fit", result.fit, fb::EnumNamesFitMode());
  fields.read("mean", result.mean);
  fields.read("std", result.std);
  fields.read("pixel_scale", result.pixel_scale);
  fields.read("pad_value", result.pad_value);
  fields.read("height_axis", result.height_axis);
  fields.read("width_axis", result.width_axis);
  fields.read("channel_axis", result.channel_axis);
  return result;
}

std::vector<float> read_anchors(const json& value) {
  if (value.is_array()) return value.get<std::vector<float>>();
  int input = 0;
  std::vector<int> strides;
  float offset = 0.5f;
  float interpolated = 1;
  {
    Fields fields(value, "anchors");
    fields.read("input", input);
    fields.read("strides", strides);
    fields.read("offset", offset);
    fields.read("interpolated_scale_aspect_ratio", interpolated);
  }
  const bool bad =
      input < 1 || input > 65536 || strides.empty() ||
      std::any_of(strides.begin(), strides.end(), [](int stride) { return stride < 1; });
  if (bad) wrong("'anchors' needs \"input\" (pixels) and \"strides\"");
  return ssd_anchors(input, strides, offset, interpolated);
}

fb::PostprocessT read_postprocess(const json& object, const ir::Graph& graph) {
  fb::PostprocessT result;
  Fields fields(object, "postprocess");
  fields.read_enum("kind", result.kind, fb::EnumNamesPostprocessKind());
  fields.read_index("scores", result.scores, graph, graph.visible_outputs());
  fields.read_index("boxes", result.boxes, graph, graph.visible_outputs());
  fields.read("apply_softmax", result.apply_softmax);
  fields.read("apply_sigmoid", result.apply_sigmoid);
  fields.read("score_threshold", result.score_threshold);
  fields.read("iou_threshold", result.iou_threshold);
  if (fields.has("anchors")) result.anchors = read_anchors(fields.take("anchors"));
  fields.read("box_scale", result.box_scale);
  fields.read("keypoints", result.keypoints);
  fields.read("background", result.background);
  fields.read("channel_axis", result.channel_axis);
  fields.read("score_clip", result.score_clip);
  return result;
}

}  // namespace

std::vector<float> ssd_anchors(int input, const std::vector<int>& strides, float offset,
                               float interpolated_scale_aspect_ratio) {
  const int each = interpolated_scale_aspect_ratio > 0 ? 2 : 1;
  std::vector<float> anchors;
  for (std::size_t layer = 0; layer < strides.size();) {
    std::size_t last = layer;
    while (last < strides.size() && strides[last] == strides[layer]) ++last;
    const int cells = (input + strides[layer] - 1) / strides[layer];
    const int count = each * static_cast<int>(last - layer);
    for (int y = 0; y < cells; ++y)
      for (int x = 0; x < cells; ++x)
        for (int i = 0; i < count; ++i)
          anchors.insert(
              anchors.end(),
              {(static_cast<float>(x) + offset) / static_cast<float>(cells),
               (static_cast<float>(y) + offset) / static_cast<float>(cells), 1.0f, 1.0f});
    layer = last;
  }
  return anchors;
}

void read_task(const std::string& path, const ir::Graph& graph, Manifest& manifest) {
  const std::string text = read_text_file(path, "--task");
  try {
    Fields fields(json::parse(text), "task");
    if (fields.has("preprocess")) {
      const json list = fields.take("preprocess");
      for (const json& entry : list.is_array() ? list : json::array({list}))
        manifest.preprocess.push_back(read_preprocess(entry, graph));
    }
    if (fields.has("postprocess"))
      manifest.postprocess = read_postprocess(fields.take("postprocess"), graph);
  } catch (const json::exception& error) {
    wrong(path, ": ", error.what());
  }
}

}  // namespace skiff::convert
