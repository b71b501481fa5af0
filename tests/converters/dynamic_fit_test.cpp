#include <gtest/gtest.h>

#include <functional>

#include "converters/dynamic/fit.h"
#include "converters/frozen.h"

// Formulas for sizes that were seen at a few choices of the symbols: they must hold at all others.
namespace skiff::dynamic {
namespace {

const std::vector<std::vector<std::int64_t>> kChoices = {{96, 640}, {50, 331}, {33, 67}, {81, 512},
                                                         {64, 97},  {77, 255}, {42, 128}};

using Size = std::function<std::int64_t(std::int64_t h, std::int64_t w)>;

Series series(const Size& size) {
  Series numbers;
  for (const auto& c : kChoices) numbers.push_back(size(c[0], c[1]));
  return numbers;
}

/// The fit knows what came before, as in a graph.
void expect_found(const std::vector<Size>& before, const Size& wanted) {
  Fitter fitter({series([](auto h, auto) { return h; }), series([](auto, auto w) { return w; })});
  for (const Size& size : before) ASSERT_TRUE(fitter.fit(series(size)).has_value());
  const auto dim = fitter.fit(series(wanted));
  ASSERT_TRUE(dim.has_value());
  for (std::int64_t h = 32; h <= 96; h += 7)
    for (std::int64_t w = 64; w <= 640; w += 31)
      EXPECT_EQ(evaluate(*dim, fitter.expressions(), std::vector{h, w}), wanted(h, w))
          << h << " x " << w;
}

TEST(Fit, Numbers) {
  expect_found({}, [](auto, auto) { return 7; });
  expect_found({}, [](auto h, auto) { return h; });
  expect_found({}, [](auto h, auto) { return h + 3; });
  expect_found({}, [](auto, auto w) { return w - 2; });
  expect_found({}, [](auto, auto w) { return 4 * w; });
  expect_found({}, [](auto, auto w) { return 2 * w + 5; });
}

TEST(Fit, Quotients) {
  expect_found({}, [](auto h, auto) { return h / 2; });
  expect_found({}, [](auto h, auto) { return (h + 1) / 2; });
  expect_found({}, [](auto, auto w) { return (w + 7) / 8; });
  expect_found({[](auto h, auto) { return (h + 1) / 2; }},
               [](auto h, auto) { return ((h + 1) / 2 + 1) / 2; });
}

TEST(Fit, ProductsAndSums) {
  expect_found({}, [](auto h, auto w) { return h * w; });
  expect_found({}, [](auto h, auto w) { return 3 * h * w; });
  expect_found({}, [](auto h, auto w) { return h + w; });
  const Size half_h = [](auto h, auto) { return h / 2; };
  const Size half_w = [](auto, auto w) { return w / 2; };
  expect_found({half_h, half_w}, [](auto h, auto w) { return (h / 2) * (w / 2); });
  expect_found({half_h, half_w}, [](auto h, auto w) { return (h / 2) * (w / 2) * 48; });
}

TEST(Fit, SuggestionsSettleWhatFewSamplesCannot) {
  const Size width = [](auto, auto w) { return w; };
  const Size third = [](auto, auto w) { return (w - 1 + 3) / 3; };
  Fitter fitter({series([](auto h, auto) { return h; }), series(width)});
  fitter.suggest_quotient(series(width), 2, 3, series(third));
  fitter.suggest_quotient(series(width), 5, 3, series([](auto, auto w) { return w; }));  // wrong
  const auto dim = fitter.fit(series(third));
  ASSERT_TRUE(dim.has_value());
  for (std::int64_t w = 1; w < 200; ++w)
    EXPECT_EQ(evaluate(*dim, fitter.expressions(), std::vector<std::int64_t>{1, w}), third(1, w));
}

TEST(Fit, WhatIsNoFormulaIsNone) {
  Fitter fitter({series([](auto h, auto) { return h; }), series([](auto, auto w) { return w; })});
  EXPECT_FALSE(fitter.fit({3, 1, 4, 1, 5, 9, 2}).has_value());
}

using Ints = std::vector<std::int64_t>;

TEST(Frozen, ABatchOfOneGrowsWhereItStood) {
  using convert::reshape_grown;
  EXPECT_EQ(reshape_grown({1, 64, 4, 4}, {4, 64, 4, 4}, {1, 64, 16}), (Ints{4, 64, 16}));
  EXPECT_EQ(reshape_grown({1, 16, 16, 2}, {3, 16, 16, 2}, {1, 512, 1}), (Ints{3, 512, 1}));
  // heads * batch, sequence first, as attention is exported
  EXPECT_EQ(reshape_grown({32, 1, 48}, {32, 4, 48}, {32, 4, 12}), (Ints{32, 16, 12}));
  EXPECT_EQ(reshape_grown({17, 4, 16}, {17, 16, 16}, {17, 64}), (Ints{68, 64}));
  EXPECT_EQ(reshape_grown({17, 64}, {68, 64}, {17, 1, 64}), (Ints{17, 4, 64}));
  EXPECT_EQ(reshape_grown({1, 32}, {4, 32}, {1, 1, 1, 32}), (Ints{4, 1, 1, 32}));
}

TEST(Frozen, NothingGrowsWhereNothingFits) {
  using convert::reshape_grown;
  EXPECT_EQ(reshape_grown({2, 3}, {2, 3}, {6}), (Ints{6}));
  EXPECT_EQ(reshape_grown({2, 3}, {3, 3}, {6}), (Ints{6}));
  EXPECT_EQ(reshape_grown({2, 3}, {4, 6}, {6}), (Ints{6}));
}

}  // namespace
}  // namespace skiff::dynamic
