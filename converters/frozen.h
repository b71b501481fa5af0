#pragma once

#include <cstdint>
#include <vector>

#include <skiff/shape.h>

// Exporters that trace a model with one size write that size into it as plain numbers: a batch of 1
// in the target of a Reshape, say. Where the caller asks for another size, these follow what became
// of the tensor around them.
namespace skiff::convert {

/// The target of a reshape of `now`, when a reshape of `exported` had the target `target`: whatever
/// one axis grew by goes to the same place of the row-major order. That place can be ambiguous: the
/// caller checks the outcome. `target` when nothing grew or no place fits.
std::vector<std::int64_t> reshape_grown(const Shape& exported, const Shape& now,
                                        const std::vector<std::int64_t>& target);

}  // namespace skiff::convert
