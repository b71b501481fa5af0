// Finds objects in a picture and draws boxes around them:
//   sample_detect MODEL.skiff PICTURE.png OUT.png
// The model file says how the picture becomes an input and what the outputs mean.
#include <skiff/skiff.h>

#include <cstdio>

#include "pictures.h"

namespace {

constexpr sample::Color kColors[] = {{255, 59, 48}, {52, 199, 89}, {0, 122, 255}, {255, 204, 0}};

void report(const skiff::Model& model, const skiff::Detection& d) {
  const auto label = static_cast<std::size_t>(d.label);
  const std::string name = label < model.label_count() ? std::string(model.label(label))
                                                       : "class " + std::to_string(d.label);
  std::printf("%s %.3f at (%.0f, %.0f) to (%.0f, %.0f)\n", name.c_str(),
              static_cast<double>(d.score), static_cast<double>(d.x1), static_cast<double>(d.y1),
              static_cast<double>(d.x2), static_cast<double>(d.y2));
}

void detect_and_draw(const char* model_path, const char* picture_path, const char* out_path) {
  const skiff::Model model = skiff::Model::load(model_path);
  skiff::Session session(model);  // takes all the memory it will ever need

  sample::Picture picture = sample::load_picture(picture_path);
  const skiff::Placement placement = skiff::set_image(session, picture.image());
  if (const skiff::Status status = session.run(); !status)
    throw skiff::Error(status.code(), status.message());

  skiff::Detection found[100];
  const std::size_t count = skiff::detect(session, placement, found);
  std::printf("%zu found in %s\n", count, picture_path);
  for (std::size_t i = 0; i < count; ++i) {
    report(model, found[i]);
    sample::draw_box(picture, found[i], kColors[static_cast<std::size_t>(found[i].label) % 4]);
  }
  sample::save_png(out_path, picture);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "use: %s MODEL.skiff PICTURE OUT.png\n", argv[0]);
    return 2;
  }
  try {
    detect_and_draw(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const skiff::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
