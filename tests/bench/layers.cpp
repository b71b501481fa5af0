#include "tests/bench/layers.h"

namespace skiff::bench {

std::vector<Layer> resnet50() {
  std::vector<Layer> layers{{224, 3, 64, 7, 2}};
  struct Stage {
    std::int64_t size, width;
    int blocks;
  };
  std::int64_t cin = 64;
  for (const Stage& s : {Stage{56, 64, 3}, {28, 128, 4}, {14, 256, 6}, {7, 512, 3}}) {
    const std::int64_t stride = s.size == 56 ? 1 : 2, from = s.size * stride;
    layers.push_back({from, cin, s.width, 1, 1});
    layers.push_back({from, s.width, s.width, 3, stride});
    layers.push_back({from, cin, 4 * s.width, 1, stride});
    layers.push_back({s.size, 4 * s.width, s.width, 1, 1, false, s.blocks - 1});
    layers.push_back({s.size, s.width, s.width, 3, 1, false, s.blocks - 1});
    layers.push_back({s.size, s.width, 4 * s.width, 1, 1, false, s.blocks});
    cin = 4 * s.width;
  }
  layers.push_back({1, 2048, 1000, 1, 1});
  return layers;
}

std::vector<Layer> mobilenet_v2() {
  std::vector<Layer> layers{{224, 3, 32, 3, 2}, {112, 32, 32, 3, 1, true}, {112, 32, 16, 1, 1}};
  struct Stage {
    std::int64_t cout;
    int blocks;
    std::int64_t stride;
  };
  std::int64_t size = 112, cin = 16;
  for (const Stage& s :
       {Stage{24, 2, 2}, {32, 3, 2}, {64, 4, 2}, {96, 3, 1}, {160, 3, 2}, {320, 1, 1}})
    for (int block = 0; block < s.blocks; ++block) {
      const std::int64_t stride = block == 0 ? s.stride : 1, wide = 6 * cin;
      layers.push_back({size, cin, wide, 1, 1});
      layers.push_back({size, wide, wide, 3, stride, true});
      size /= stride;
      layers.push_back({size, wide, s.cout, 1, 1});
      cin = s.cout;
    }
  layers.push_back({7, 320, 1280, 1, 1});
  layers.push_back({1, 1280, 1000, 1, 1});
  return layers;
}

std::string name_of(const Layer& l) {
  return std::to_string(l.size) + "x" + std::to_string(l.size) + "x" + std::to_string(l.cin) +
         (l.depthwise ? "/depthwise" : "/" + std::to_string(l.cout)) + "/k" +
         std::to_string(l.kernel) + "s" + std::to_string(l.stride);
}

}  // namespace skiff::bench
