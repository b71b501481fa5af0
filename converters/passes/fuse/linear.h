#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

/// scale * x + shift with numbers for scale and shift.
struct Linear {
  ValueId x = kAbsent;
  double scale = 1;
  double shift = 0;
};

/// The value as a linear function of `x`, through products, quotients, sums and differences with
/// numbers; nothing when it is none.
std::optional<Linear> linear_in(const Rewriter& rewriter, ValueId value, ValueId x);
/// The value as a linear function of the first value that is none itself.
Linear peel(const Rewriter& rewriter, ValueId value);

/// A product taken apart: constant * factors[0] * factors[1] * ...
struct Product {
  std::vector<ValueId> factors;
  double constant = 1;
};

/// Takes the product that `node` computes apart, through operands that nobody else reads.
Product factors_of(const Rewriter& rewriter, const ir::Node& node);

/// Equal up to the digits that constants are written with in models.
bool near(double a, double b);

}  // namespace skiff::passes
