#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "runtime/cpu/activation.h"
#include "runtime/cpu/isa.h"
#include "tests/support/reference_activation.h"

namespace skiff::cpu {
namespace {

using fb::UnaryFunction;

/// Numbers of every size and sign, and the places where branches meet.
std::vector<float> inputs() {
  std::vector<float> x{0.0f, -0.0f, 0.5f, -0.5f, 1.5f, -1.5f, 3, -3, 6, -6, 88, -88, 1e-40f};
  for (float size = 1e-30f; size < 1e4f; size *= 1.37f) x.insert(x.end(), {size, -size});
  for (int i = -4000; i <= 4000; ++i) x.push_back(static_cast<float>(i) / 400.0f);
  return x;
}

/// Error allowed at x: as isa/activation.h states, in multiples of the result's own spacing, or
/// absolute where the definition cancels.
double bound(UnaryFunction f, double x, double y) {
  const double ulp = std::max(std::abs(y) * 0x1p-23, 0x1p-126);
  switch (f) {
    case UnaryFunction::gelu_erf:
    case UnaryFunction::gelu_tanh:
    case UnaryFunction::mish:
      return 4e-7 * std::max(1.0, std::abs(x));
    case UnaryFunction::tanh:
      return 6 * ulp;
    case UnaryFunction::swish:
      return (4 + std::abs(x) / 16) * ulp;
    case UnaryFunction::sigmoid:
    case UnaryFunction::elu:
    case UnaryFunction::selu:
    case UnaryFunction::celu:
    case UnaryFunction::softplus:
      return 4 * ulp;
    default:
      return 2 * ulp + 0x1p-24;
  }
}

TEST(Activations, KeepTheirErrorBounds) {
  const std::vector<float> x = inputs();
  std::vector<float> y(x.size());
  for (const KernelTable* table : available_tables())
    for (int number = 0; number <= static_cast<int>(UnaryFunction::shrink); ++number) {
      const auto f = static_cast<UnaryFunction>(number);
      const float alpha = 0.25f, beta = 1.5f;
      table->activate(epilogue_of(f, alpha, beta), x.data(), y.data(),
                      static_cast<std::int64_t>(x.size()));
      double worst = 0;
      std::size_t at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double exact = test::reference_activation(f, x[i], alpha, beta);
        const double ratio = std::abs(y[i] - exact) / bound(f, x[i], exact);
        if (!(ratio <= worst)) worst = ratio, at = i;
      }
      EXPECT_LE(worst, 1) << table->name << " " << fb::EnumNameUnaryFunction(f) << "(" << x[at]
                          << ") = " << y[at] << ", exactly "
                          << test::reference_activation(f, x[at], alpha, beta);
    }
}

TEST(Activations, NanStaysNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const KernelTable* table : available_tables())
    for (int number = 0; number <= static_cast<int>(UnaryFunction::shrink); ++number) {
      const auto f = static_cast<UnaryFunction>(number);
      std::vector<float> y(19, nan);
      table->activate(epilogue_of(f, 0.25f, 1.5f), y.data(), y.data(), 19);
      const auto numbers =
          std::count_if(y.begin(), y.end(), [](float value) { return !std::isnan(value); });
      EXPECT_EQ(numbers, 0) << table->name << " " << fb::EnumNameUnaryFunction(f);
    }
}

TEST(Activations, TouchOnlyTheirElements) {
  for (const KernelTable* table : available_tables())
    for (std::int64_t count = 0; count < 40; ++count) {
      std::vector<float> x(static_cast<std::size_t>(count), -2.0f), y(64, 7.0f);
      table->activate(epilogue_of(UnaryFunction::relu, 0, 0), x.data(), y.data(), count);
      for (std::size_t i = 0; i < y.size(); ++i)
        ASSERT_EQ(y[i], static_cast<std::int64_t>(i) < count ? 0.0f : 7.0f);
    }
}

}  // namespace
}  // namespace skiff::cpu
