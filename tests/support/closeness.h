#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

namespace skiff::test {

/// Every value[i] within bound(i) of expected[i]; the message says where the worst one is.
template <typename Bound>
void expect_close(std::span<const float> value, const std::vector<double>& expected,
                  Bound&& bound) {
  ASSERT_EQ(value.size(), expected.size());
  std::size_t worst = 0, bad = 0;
  double worst_ratio = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const double error = std::abs(static_cast<double>(value[i]) - expected[i]);
    const double ratio = error / bound(i);
    if (!(ratio <= 1)) ++bad;
    if (!(ratio <= worst_ratio)) worst_ratio = ratio, worst = i;
    if (std::isnan(ratio)) break;
  }
  if (bad == 0) return;
  ADD_FAILURE() << bad << " of " << value.size() << " values are off; worst at " << worst << ": "
                << value[worst] << ", expected " << expected[worst] << ", " << worst_ratio
                << " times the bound";
}

}  // namespace skiff::test
