// onnx_seeds FOLDER: writes the seeds of fuzz_onnx.
#include <filesystem>
#include <fstream>
#include <span>

#include "tests/converters/onnx_samples.h"

namespace {

void write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  write(folder / "picture.onnx", skiff::test::onnx_picture_model());
  write(folder / "program.onnx", skiff::test::onnx_program_model());
  return 0;
}
