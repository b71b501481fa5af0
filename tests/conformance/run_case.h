#pragma once

#include <functional>
#include <string>

#include "tests/conformance/case.h"

namespace skiff::conformance {

struct Outcome {
  enum class Kind : char { passed = 'p', failed = 'f', refused = 'r' } kind = Kind::failed;
  std::string reason = {};
  double max_relative = 0;
  bool on_gpu = false;  ///< at least one step
};

/// Converts the case's model, runs it on its inputs and compares. An input is bound to its value at
/// conversion only when the model is refused without. Never throws.
Outcome run_case(const CasePath& path, const std::string& device) noexcept;

/// The graph of a model that `import` reads, ready to be written. Throws Error.
using Import = std::function<convert::Imported(const convert::ImportOptions&)>;
ir::Graph prepare(const Import& import, const convert::ImportOptions& options);

/// What a graph gave that ran as a file.
struct Run {
  Tensors results;  ///< by output name
  bool on_gpu = false;
};

/// Throws Error, also where a GPU is asked for that cannot be used.
Run execute(const ir::Graph& graph, const Tensors& inputs, const std::string& device);

}  // namespace skiff::conformance
