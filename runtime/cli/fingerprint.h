#pragma once

#include <skiff/tensor.h>

#include "schema/skiff_generated.h"

namespace skiff::cli {

/// Estimates how far a tensor is from the one that a fingerprint was taken of, as the L2 norm of
/// the difference over that of the expected tensor. The sum of a difference over random signs has
/// the difference's norm as its deviation, so the root mean square of such sums estimates it. The
/// sign of element i in projection p is bit 63 of splitmix64's output for state 8 i + p (set is
/// minus). Infinite where one of the two is not finite.
double estimated_error(const Tensor& value, const fb::Fingerprint& expected) noexcept;

}  // namespace skiff::cli
