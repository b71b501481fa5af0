#pragma once

#include <skiff/model.h>

#include "converters/passes/passes.h"
#include "converters/writer.h"

namespace skiff::test {

/// What follows the import of a model: all passes, the writer, and the loader within a budget.
/// Throws Error; `check`: invariants after each pass.
inline void convert_imported(ir::Graph graph, bool check = false) {
  constexpr std::uint64_t kBudget = std::uint64_t{64} << 20;
  passes::run_pipeline(graph, passes::all_groups(), {.check = check});
  const std::vector<std::byte> file = convert::write_model(graph, {});
  Model::from_bytes(file, {.digests = false, .memory_limit = kBudget});
}

}  // namespace skiff::test
