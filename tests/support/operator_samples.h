#pragma once

#include "tests/support/model_samples.h"

namespace skiff::test {

/// Models that together hold every operator that model_samples() leaves out, and the optional
/// operands and forms of others.
std::span<const ModelSample> operator_samples() noexcept;

}  // namespace skiff::test
