#include <exception>
#include <fstream>
#include <iostream>

#include "tests/cuda/described_device.h"
#include "tests/cuda/support_plans.h"

// Asks an arm64 cuDNN about the convolutions in a file; exits with 1 when one has no engine.
int main(int argc, char** argv) try {
  using namespace skiff::cuda;
  std::ifstream file(argc > 1 ? argv[1] : "");
  const NetworkPlans plans = read_plans(file);
  if (plans.empty()) {
    std::cerr << "usage: support_thor CONVOLUTIONS\n";
    return 2;
  }
  int own = 0;
  for (const DescribedDevice& device : {kThor, kOrin})
    for (const skiff::DType dtype : {skiff::DType::float32, skiff::DType::float16})
      own += print_support(device.name, DescribedTarget(device), dtype, plans);
  std::cout << own << " convolutions without an engine of cuDNN: direct kernel\n";
  return own == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
