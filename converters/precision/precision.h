#pragma once

#include <span>
#include <string>
#include <vector>

#include "converters/ir/graph.h"

// --fp16 (with --fp16-sums) and --bf16: the last rewrite before a graph is written.
namespace skiff::precision {

/// A node that computes in float32 still.
struct Kept {
  std::string node, op, reason;
};

struct Outcome {
  DType type = DType::none;     ///< none: nothing was asked for
  std::size_t nodes = 0;        ///< that compute floats
  std::vector<Kept> kept = {};  ///< those of them that stay in float32, in order
  std::size_t casts = 0;        ///< nodes that were added at the borders
  bool half_sums = false;       ///< sums in float16 were asked for
  std::size_t half_summed = 0;  ///< nodes that may add so
};

/// Relative L2 error that a file of this precision may have against float32; 0: what float32 has.
float tolerance_of(DType type) noexcept;

/// Stores constants and the values between nodes as `type`, float16 or bfloat16; kernels compute
/// them in float32. External inputs and outputs keep their type, casts stand at the borders. A node
/// stays in float32 when its operator takes nothing else, when a constant does not survive the
/// rounding, or when what it was `measured` to compute (by value) comes near the end of the type's
/// range. Ids of values and nodes stay. A graph with symbols stays one.
/// `half_sums`, with float16: convolutions and products of what is float16 now with constant
/// weights may be summed so (see the schema).
Outcome store_as(ir::Graph& graph, DType type, std::span<const fb::FingerprintT> measured,
                 bool half_sums = false);

}  // namespace skiff::precision
