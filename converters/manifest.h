#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::convert {

/// A tensor of a golden case; `value` belongs to the graph that is written.
struct GoldenTensor {
  ir::ValueId value = ir::kAbsent;
  std::vector<std::byte> bytes;
};

/// Inputs and what a right device computes for them. Fingerprints name their values by ir::ValueId.
struct Golden {
  std::string name;
  fb::GoldenOrigin origin = fb::GoldenOrigin::reference;
  std::vector<GoldenTensor> inputs;
  std::vector<GoldenTensor> outputs;
  std::vector<fb::FingerprintT> fingerprints;
  std::vector<std::int64_t> symbols = {};  ///< of a graph with symbols: the sizes of the case
  /// How far what the graph computed here is from `outputs`: the worst of the float ones.
  double off_l2 = 0, off_most = 0;
  /// What an output may be off by, in the schema's terms; 0: what the schema allows float32.
  float relative_l2 = 0, max_relative = 0;
};

/// What output computes is what input holds on the next run; zeros on the first.
struct State {
  ir::ValueId output = ir::kAbsent, input = ir::kAbsent;
};

/// Everything in a file besides the graph.
struct Manifest {
  std::string name;
  std::vector<State> states;
  std::vector<fb::PreprocessT> preprocess;
  std::optional<fb::PostprocessT> postprocess;
  std::vector<std::string> labels;
  std::vector<Golden> golden;
  fb::ProvenanceT provenance;
  std::uint64_t memory_budget = 0;  ///< bytes a session may take; 0: no limit
  bool strip_names = false;         ///< only external inputs and outputs keep their names
};

}  // namespace skiff::convert
