// gpu_networks NAME FILE.onnx: writes a network that GPU figures are published for.
#include <cstdio>
#include <fstream>

#include "runtime/core/error.h"
#include "tests/cuda/onnx_networks.h"

int main(int argc, char** argv) try {
  using namespace skiff;
  require(argc == 3, ErrorCode::invalid_argument, "usage: gpu_networks NAME FILE.onnx");
  const std::string text = test::onnx_network(argv[1]).onnx.model.SerializeAsString();
  std::ofstream file(argv[2], std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  require(!text.empty() && file.good(), ErrorCode::io, "cannot write ", argv[2]);
} catch (const std::exception& error) {
  std::fprintf(stderr, "gpu_networks: %s\n", error.what());
  return 1;
}
