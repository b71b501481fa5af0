// Reads the text in a picture: sample_read_text FINDER.skiff READER.skiff PICTURE
// The models are PP-OCRv4's detector and recogniser, the tasks in samples/tasks. Both models have
// sizes that change from run to run:
//   skiff-convert ch_PP-OCRv4_det_infer.onnx -o finder.skiff --task ch_PP-OCRv4_det_infer.json
//     --dyn x:0=1:1:1 --dyn x:2=320:480:960 --dyn x:3=320:640:960
//   skiff-convert ch_PP-OCRv4_rec_infer.onnx -o reader.skiff --task ch_PP-OCRv4_rec_infer.json
//     --dyn x:0=1:1:1 --dyn x:2=48:48:48 --dyn x:3=32:320:1920 --labels ppocr_keys_v1.txt
#include <skiff/skiff.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "text_boxes.h"

namespace {

void check(const skiff::Status& status) {
  if (!status) throw skiff::Error(status.code(), status.message());
}

/// What an axis of the input may be: its symbol's bounds, or the extent that is fixed.
skiff::SymbolDesc bounds(const skiff::Model& model, int axis) {
  const int symbol = model.input_symbol(0, axis);
  const std::int64_t extent = model.input(0).shape[axis];
  return symbol < 0 ? skiff::SymbolDesc{"", extent, extent, extent, 1}
                    : model.symbol(static_cast<std::size_t>(symbol));
}

std::int64_t within(const skiff::SymbolDesc& bounds, float wanted) {
  const auto step = static_cast<float>(bounds.multiple_of);
  return std::clamp(std::lround(wanted / step) * bounds.multiple_of, bounds.min, bounds.max);
}

/// Runs a model on a picture, at a size of the model's own choice near the one that is wanted.
skiff::Tensor run(skiff::Session& session, const sample::Picture& picture, float width,
                  float height) {
  const skiff::Model& model = session.model();
  const skiff::Shape size{1, 3, within(bounds(model, 2), height), within(bounds(model, 3), width)};
  session.prepare(model.input(0).name, size);  // a GPU wants to know sizes beforehand
  check(session.resize(model.input(0).name, size));
  skiff::set_image(session, picture.image());
  check(session.run());
  return session.output(0);
}

/// The lines of text in a picture, looked for at the largest size that the model takes.
std::vector<sample::TextBox> find(skiff::Session& finder, const sample::Picture& picture) {
  const auto w = static_cast<float>(picture.width), h = static_cast<float>(picture.height);
  const skiff::Model& model = finder.model();
  const float scale = std::min(static_cast<float>(bounds(model, 3).max) / w,
                               static_cast<float>(bounds(model, 2).max) / h);
  const skiff::Tensor map = run(finder, picture, w * scale, h * scale);
  const int map_w = static_cast<int>(map.shape()[3]), map_h = static_cast<int>(map.shape()[2]);
  auto boxes = sample::text_boxes(map.values<float>(), map_w, map_h);
  for (sample::TextBox& box : boxes)
    sample::stretch(box, w / static_cast<float>(map_w), h / static_cast<float>(map_h));
  return boxes;
}

/// Of [1, steps, labels + 2] scores: the best label of each step, where it differs from the one
/// before. The first means nothing (CTC's blank), the last a space.
std::string spelled(const skiff::Model& model, const skiff::Tensor& scores) {
  const auto classes = static_cast<std::size_t>(scores.shape()[2]);
  const std::span<const float> all = scores.values<float>();
  std::string text;
  std::size_t before = 0;
  for (std::size_t at = 0; at < all.size(); at += classes) {
    const std::span<const float> step = all.subspan(at, classes);
    const auto best =
        static_cast<std::size_t>(std::max_element(step.begin(), step.end()) - step.begin());
    if (best != 0 && best != before)
      text += best <= model.label_count() ? std::string(model.label(best - 1)) : " ";
    before = best;
  }
  return text;
}

void read(const char* finder_path, const char* reader_path, const char* picture_path) {
  const skiff::Model finder_model = skiff::Model::load(finder_path);
  const skiff::Model reader_model = skiff::Model::load(reader_path);
  skiff::Session finder(finder_model, {.threads = 2}), reader(reader_model, {.threads = 2});
  const sample::Picture picture = sample::load_picture(picture_path);
  constexpr int kRows = 48;
  for (const sample::TextBox& box : find(finder, picture)) {
    const float width = kRows * box.width / box.height;
    const sample::Picture line =
        sample::cut_out(picture, box, std::max(1, static_cast<int>(width)), kRows);
    const std::string text = spelled(reader_model, run(reader, line, width, kRows));
    if (!text.empty()) std::printf("%s\n", text.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "use: %s FINDER.skiff READER.skiff PICTURE\n", argv[0]);
    return 2;
  }
  try {
    read(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const skiff::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
