#pragma once

#include <cstdint>
#include <vector>

// Naive pooling from the definition, in double precision; always three spatial axes.
namespace skiff::test {

enum class PoolKind { maximum, average, lp };

struct ReferencePool {
  PoolKind kind = PoolKind::maximum;
  std::int64_t batch = 1, channels = 1;
  std::vector<std::int64_t> in{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1};
  std::vector<std::int64_t> pad_begin{0, 0, 0}, pad_end{0, 0, 0}, out{1, 1, 1};
  bool count_include_pad = false;
  double p = 2;
};

struct PoolResult {
  std::vector<double> value;
  std::vector<std::int64_t> pixel;  ///< of a maximum: its pixel inside the image
};

/// x [batch, in..., channels] -> [batch, out..., channels]
PoolResult reference_pool(const ReferencePool& p, const std::vector<double>& x);

}  // namespace skiff::test
