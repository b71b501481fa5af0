#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "converters/quantize/histogram.h"
#include "converters/quantize/scale.h"
#include "converters/quantize/weights.h"

// How values and weights get their scales, against plain loops over the numbers themselves.
namespace skiff::quantize {
namespace {

std::vector<float> normal_numbers(std::size_t count, float deviation, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    double sum = -6;  // of twelve uniform ones
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(generator() >> 8) * 0x1p-24;
    number = static_cast<float>(sum) * deviation;
  }
  return numbers;
}

double mean_squared_error(const std::vector<float>& numbers, const Scale& scale) {
  double sum = 0;
  for (const float number : numbers) {
    double stored = std::round(static_cast<double>(number / scale.scale)) + scale.zero;
    stored = std::fmin(std::fmax(stored, 0), 255);
    const double back = static_cast<double>(scale.scale) * (stored - scale.zero);
    sum += std::pow(static_cast<double>(number) - back, 2);
  }
  return sum / static_cast<double>(numbers.size());
}

Histogram histogram_of(const std::vector<float>& numbers) {
  Histogram histogram;
  histogram.add(numbers);
  return histogram;
}

TEST(Scale, ByHand) {
  const Scale both = scale_of(-1, 1.55);
  EXPECT_FLOAT_EQ(both.scale, 0.01f);
  EXPECT_EQ(both.zero, 100);
  // The range always holds 0, which is stored exactly.
  const Scale above = scale_of(2, 5.1), below = scale_of(-5.1, -2);
  EXPECT_FLOAT_EQ(above.scale, 0.02f);
  EXPECT_EQ(above.zero, 0);
  EXPECT_FLOAT_EQ(below.scale, 0.02f);
  EXPECT_EQ(below.zero, 255);
}

TEST(Scale, OfTheLargestAndTheSmallestNumbers) {
  const Scale large = scale_of(-3e38, 3e38);
  EXPECT_TRUE(std::isfinite(large.scale));
  EXPECT_NEAR(large.zero, 128, 1);
  EXPECT_GT(scale_of(0, 1e-44).scale, 0.0f);
}

TEST(Histogram, CountsWhatGrows) {
  Histogram histogram;
  double count = 0, sum = 0;
  for (const float deviation : {1e-20f, 0.3f, 40.0f, 1e-3f, 1e10f}) {
    const auto numbers = normal_numbers(1000, deviation, 7);
    histogram.add(numbers);
    for (const float number : numbers) sum += static_cast<double>(number);
    count += static_cast<double>(numbers.size());
  }
  double counted = 0, summed = 0, last = -INFINITY;
  for (const Histogram::Bin& bin : histogram.bins()) {
    counted += bin.count;
    summed += bin.count * bin.mean;
    EXPECT_GT(bin.mean, last);
    last = bin.mean;
  }
  EXPECT_EQ(counted, count);
  EXPECT_NEAR(summed / sum, 1, 1e-9);
}

TEST(Histogram, KnowsTheEndsAndWhatIsNoNumber) {
  Histogram histogram = histogram_of({-1, 0, 4, 0, -0.5f, 2, 8});
  EXPECT_EQ(histogram.low(), -1);
  EXPECT_EQ(histogram.high(), 8);
  EXPECT_EQ(histogram.bins().size(), 5u);
  EXPECT_TRUE(histogram.finite());
  histogram.add(std::vector<float>{1, NAN});
  EXPECT_FALSE(histogram.finite());
  EXPECT_EQ(histogram.high(), 8);
}

TEST(Scale, UniformNumbersKeepTheirRange) {
  std::vector<float> numbers;
  for (int i = -1000; i <= 3000; ++i) numbers.push_back(static_cast<float>(i) * 0.001f);
  const Scale scale = best_scale(histogram_of(numbers));
  EXPECT_NEAR(scale.scale, 4.0f / 255, 0.01f * 4 / 255);
  EXPECT_NEAR(scale.zero, 64, 1);
}

/// Against ranges of a grid, tried on the numbers themselves.
TEST(Scale, FarNumbersAreCutOffWhereThatCostsLess) {
  const struct {
    float far;
    float most, least;  // what is kept of the whole range
  } cases[] = {{3, 0.95f, 0.5f}, {60, 1, 0.7f}};
  for (const auto& c : cases) {
    std::vector<float> numbers = normal_numbers(200'000, 0.5f, 3);
    numbers.push_back(c.far);
    const Histogram histogram = histogram_of(numbers);
    const Scale whole = scale_of(histogram.low(), histogram.high()), best = best_scale(histogram);
    double least = INFINITY;
    for (int low = 16; low <= 20; ++low)
      for (int high = 1; high <= 20; ++high)
        least =
            std::fmin(least, mean_squared_error(numbers, scale_of(histogram.low() * low / 20,
                                                                  histogram.high() * high / 20)));
    EXPECT_LE(mean_squared_error(numbers, best), 1.01 * least) << c.far;
    EXPECT_LE(best.scale, c.most * whole.scale) << c.far;
    EXPECT_GE(best.scale, c.least * whole.scale) << c.far;
  }
}

ir::Value weights_of(const Shape& shape, const std::vector<float>& numbers) {
  ir::Value value{.name = "w", .dtype = DType::float32, .shape = shape};
  value.constant = ir::bytes_of(std::span<const float>(numbers));
  return value;
}

std::vector<float> rounded(const ir::Value& weights, int axis) {
  ir::Value result = weights;
  result.constant = round_weights(weights, axis);
  std::vector<float> numbers;
  for (const double number : ir::numbers(result)) numbers.push_back(static_cast<float>(number));
  return numbers;
}

/// Columns of a matrix, rows of it as a convolution's weights.
TEST(Weights, EveryChannelLiesOnAGridOfItsOwn) {
  constexpr std::size_t kRows = 6, kColumns = 50;
  std::vector<float> numbers = normal_numbers(kRows * kColumns, 0.2f, 11);
  for (std::size_t i = 0; i < kColumns; ++i) numbers[2 * kColumns + i] *= 1e4f;
  const ir::Value weights = weights_of({kRows, 5, 10}, numbers);
  const std::vector<float> grid = rounded(weights, 0);
  for (std::size_t row = 0; row < kRows; ++row) {
    float largest = 0, most = 0;
    for (std::size_t i = 0; i < kColumns; ++i) {
      largest = std::fmax(largest, std::fabs(numbers[row * kColumns + i]));
      most = std::fmax(most, std::fabs(grid[row * kColumns + i]));
    }
    const float step = most / 127;
    EXPECT_NEAR(most, largest, largest * 1e-4f);
    EXPECT_EQ(step * 127, most);
    for (std::size_t i = 0; i < kColumns; ++i) {
      const float number = grid[row * kColumns + i];
      EXPECT_EQ(std::round(number / step) * step, number) << "no float of the grid";
      EXPECT_LE(std::fabs(number - numbers[row * kColumns + i]), 0.501f * step);
    }
  }
}

TEST(Weights, ColumnsZerosAndTheEnds) {
  const ir::Value weights = weights_of({3, 4}, {127, 0, 3e38f, 1e-42f,  //
                                                -3, 0, 1e30f, 1e-42f,   //
                                                0.4f, 0, -3e38f, 0});
  const std::vector<float> grid = rounded(weights, 1);
  EXPECT_EQ(grid[0], 127);
  EXPECT_EQ(grid[4], -3);
  EXPECT_EQ(grid[8], 0);
  for (const std::size_t i : {1u, 5u, 9u, 3u, 7u, 11u}) EXPECT_EQ(grid[i], 0) << i;
  EXPECT_TRUE(std::isfinite(grid[2]));
  EXPECT_EQ(grid[2], -grid[10]);
  EXPECT_EQ(grid[6], 0);
}

}  // namespace
}  // namespace skiff::quantize
