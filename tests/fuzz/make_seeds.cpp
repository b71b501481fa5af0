// make_seeds FOLDER: writes the first inputs of every fuzzer into FOLDER/fuzz_NAME.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "tests/converters/onnx_samples.h"
#include "tests/converters/tflite_samples.h"
#include "tests/support/model_samples.h"

namespace {

void write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.exceptions(std::ios::failbit);  // throws at once when something went wrong above
  file.close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_seeds FOLDER\n", stderr);
    return 2;
  }
  using namespace skiff::test;
  const std::filesystem::path folder = argv[1];
  write(folder / "fuzz_onnx/picture.onnx", onnx_picture_model());
  write(folder / "fuzz_onnx/program.onnx", onnx_program_model());
  write(folder / "fuzz_tflite/picture.tflite", picture_model());
  write(folder / "fuzz_tflite/list.tflite", list_model());
  write(folder / "fuzz_tflite/recurrent.tflite", recurrent_model());
  write(folder / "fuzz_tflite/stateful.tflite", stateful_model());
  for (const ModelSample& sample : model_samples())
    write(folder / "fuzz_loader" / (std::string(sample.name) + ".skiff"), file_of(sample));
}
