#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "runtime/cpu/float_mode.h"
#include "runtime/cpu/isa.h"
#include "tests/support/half_sums.h"

namespace skiff::cpu {
namespace {

/// The number that these bits of a float16 stand for.
double number_of(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = bits & 1023;
  const double size = exponent == 0    ? std::ldexp(fraction, -24)
                      : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                       : std::ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 != 0 ? -size : size;
}

/// Every float16, the middle between it and the next one, and what lies around both.
std::vector<float> around_all_halves() {
  std::vector<float> numbers;
  for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const auto here = static_cast<float>(number_of(static_cast<std::uint16_t>(bits)));
    const auto next = bits == 0x7bff
                          ? 65536.0f
                          : static_cast<float>(number_of(static_cast<std::uint16_t>(bits + 1)));
    const float middle = here + (next - here) / 2;
    for (const float x : {here, middle})
      for (const float towards : {-INFINITY, x, INFINITY}) {
        numbers.push_back(std::nextafter(x, towards));
        numbers.push_back(-numbers.back());
      }
  }
  for (const float x : {INFINITY, 1e30f, 65536.0f, 1e-30f, 1e-40f})
    for (const float sign : {1.0f, -1.0f}) numbers.push_back(sign * x);
  return numbers;
}

class Halves : public testing::Test {
 protected:
  void SetUp() override {
    halves_ = half_products(*available_tables().front());
    if (halves_ == nullptr) GTEST_SKIP() << "no float16 arithmetic here";
  }
  const HalfTable* halves_ = nullptr;
};

TEST_F(Halves, RoundToNearestEvenAndSaturate) {
  const std::vector<float> x = around_all_halves();
  std::vector<std::uint16_t> y(x.size());
  const FlushSubnormals as_runs_do;
  halves_->to_halves(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = test::as_half(static_cast<double>(x[i]));
    ASSERT_EQ(number_of(y[i]), expected) << x[i];
    ASSERT_EQ(y[i] >> 15 != 0, std::signbit(x[i])) << x[i];
  }
}

TEST_F(Halves, NoneIsTouchedBehindTheLast) {
  for (std::int64_t count = 0; count < 20; ++count) {
    std::vector<float> x(static_cast<std::size_t>(count), 1.5f);
    std::vector<std::uint16_t> y(x.size() + 1, 7);
    halves_->to_halves(x.data(), y.data(), count);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], 0x3e00) << i << " of " << count;
    EXPECT_EQ(y.back(), 7);
  }
}

TEST_F(Halves, NanStays) {
  const float x = std::numeric_limits<float>::quiet_NaN();
  std::uint16_t y = 0;
  halves_->to_halves(&x, &y, 1);
  EXPECT_TRUE(std::isnan(number_of(y)));
}

}  // namespace
}  // namespace skiff::cpu
