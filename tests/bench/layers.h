#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace skiff::bench {

/// A square convolution layer with padding that keeps size / stride.
struct Layer {
  std::int64_t size, cin, cout, kernel, stride;
  bool depthwise = false;
  int count = 1;  ///< times it stands in the network
};

std::vector<Layer> resnet50();
std::vector<Layer> mobilenet_v2();
std::string name_of(const Layer& layer);

}  // namespace skiff::bench
