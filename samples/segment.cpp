// Paints what a model cuts out of a picture: sample_segment MODEL.skiff PICTURE OUT.png
// A model of one channel (a person, say): everything else fades to grey. Several classes: a colour
// each.
#include <skiff/skiff.h>

#include <cstdio>

#include "pictures.h"

namespace {

bool has_one_channel(const skiff::Model& model) {
  const skiff::Postprocessing p = model.postprocessing();
  const skiff::Shape shape = model.output(static_cast<std::size_t>(p.scores)).shape;
  return shape[p.channel_axis < 0 ? shape.rank() - 1 : p.channel_axis] == 1;
}

std::uint8_t mixed(std::uint8_t a, int b, int weight) {
  return static_cast<std::uint8_t>((a * weight + b * (255 - weight)) / 255);
}

void paint(sample::Picture& picture, std::span<const std::uint8_t> mask, bool one_channel) {
  for (std::size_t i = 0; i < mask.size(); ++i)
    for (std::size_t c = 0; c < 3; ++c) {
      std::uint8_t& pixel = picture.pixels[3 * i + c];
      const int class_color = (mask[i] * (37 + 50 * static_cast<int>(c))) % 256;
      pixel = one_channel ? mixed(pixel, 160, mask[i])
                          : mixed(pixel, class_color, mask[i] == 0 ? 255 : 128);
    }
}

void segment_and_paint(const char* model_path, const char* picture_path, const char* out_path) {
  const skiff::Model model = skiff::Model::load(model_path);
  skiff::Session session(model);

  sample::Picture picture = sample::load_picture(picture_path);
  const skiff::Placement placement = skiff::set_image(session, picture.image());
  if (const skiff::Status status = session.run(); !status)
    throw skiff::Error(status.code(), status.message());

  std::vector<std::uint8_t> mask(picture.pixels.size() / 3);
  skiff::segment(session, placement, picture.width, picture.height, mask);
  const bool one_channel = has_one_channel(model);
  std::size_t marked = 0;
  for (std::uint8_t value : mask) marked += one_channel ? value >= 128 : value > 0;
  std::printf("%.1f %% of the picture\n",
              100 * static_cast<double>(marked) / static_cast<double>(mask.size()));
  paint(picture, mask, one_channel);
  sample::save_png(out_path, picture);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "use: %s MODEL.skiff PICTURE OUT.png\n", argv[0]);
    return 2;
  }
  try {
    segment_and_paint(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const skiff::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
