#include <skiff/skiff.h>

#include <algorithm>
#include <cstdio>

int main(int argc, char** argv) try {
  const skiff::Model model = skiff::Model::load(argc > 1 ? argv[1] : "model.skiff");
  skiff::Session session(model, {.threads = 2});  // takes all memory it will ever need

  const std::span<float> input = session.input(0).values<float>();
  std::fill(input.begin(), input.end(), 0.5f);                // your data goes here
  if (const skiff::Status status = session.run(); !status) {  // no allocation, no exception
    std::fprintf(stderr, "%s\n", status.message());
    return 1;
  }
  const std::span<const float> output = session.output(0).values<float>();
  std::printf("%zu values, the first is %g\n", output.size(), static_cast<double>(output[0]));
} catch (const skiff::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
