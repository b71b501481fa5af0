#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::test {

/// A small model that is built in code, with random but fixed weights.
struct ModelSample {
  const char* name;
  ir::Graph (*graph)();
};

/// Models of different operators, one with sizes that stay open and a state, one with sizes that
/// depend on data; their files are well below 20 KB.
std::span<const ModelSample> model_samples() noexcept;

/// The .skiff file of a sample, with a golden case of random inputs and outputs as computed here;
/// "picture" also has labels, pre- and postprocessing. Same sample, same bytes.
std::vector<std::byte> file_of(const ModelSample& sample);

}  // namespace skiff::test
