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
  int slow = 0;
  for (const DescribedDevice& device : {kThor, kOrin})
    for (const Arithmetic& arithmetic : kArithmetics)
      slow += print_support(device.name, DescribedTarget(device), arithmetic, plans).slow;
  std::cout << slow << " convolutions with neither an engine of cuDNN nor tensor cores\n";
  return slow == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
