// Says what is in a picture: sample_classify MODEL.skiff PICTURE
#include <skiff/skiff.h>

#include <cstdio>

#include "pictures.h"

namespace {

void print_best(const char* model_path, const char* picture_path) {
  const skiff::Model model = skiff::Model::load(model_path);
  skiff::Session session(model);

  skiff::set_image(session, sample::load_picture(picture_path).image());
  if (const skiff::Status status = session.run(); !status)
    throw skiff::Error(status.code(), status.message());

  skiff::Classification best[5];
  const std::size_t count = skiff::classify(session, best);
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::size_t>(best[i].index);
    const std::string name = label < model.label_count() ? std::string(model.label(label)) : "";
    std::printf("%.3f  %d %s\n", static_cast<double>(best[i].score), best[i].index, name.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "use: %s MODEL.skiff PICTURE\n", argv[0]);
    return 2;
  }
  try {
    print_best(argv[1], argv[2]);
    return 0;
  } catch (const skiff::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
