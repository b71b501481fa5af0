#pragma once

#include <functional>
#include <span>

#include "tests/support/model_samples.h"

namespace skiff::test {

/// Files that a loader must refuse, and some that it may accept, made from one sample: header
/// fields and bits, cut ends, every number and every length of the metadata at values that are
/// wrong for something, and operands, results and types that do not fit. Each is given to `visit`.
void for_each_hostile(const ModelSample& sample,
                      const std::function<void(std::span<const std::byte>)>& visit);

}  // namespace skiff::test
