#pragma once

#include <cstdint>

#include "runtime/ops/op.h"
#include "runtime/ops/strided.h"

namespace skiff {

/// y = softmax(scale q k^T + mask) v for every head, as sizes and distances in elements. A head of
/// the keys serves `group` heads of the queries next to each other.
struct AttentionGeometry {
  /// Where row r of head h of batch b starts: b batch + h head + r row.
  struct Rows {
    std::int64_t batch = 0, head = 0, row = 0;
    std::int64_t at(std::int64_t b, std::int64_t h, std::int64_t r) const noexcept {
      return b * batch + h * head + r * row;
    }
  };

  DType dtype = DType::float32;  ///< of q, k, v, y and of a mask that is added
  std::int64_t batches = 0, heads = 0, kv_heads = 0, queries = 0, keys = 0;
  std::int64_t depth = 0, width = 0;  ///< elements of a query and key; of a value and result
  Rows q, k, v, y;
  bool folded = false;  ///< heads are folded into the last of three axes
  float scale = 1;
  float softcap = 0;
  bool causal = false;  ///< query i sees keys 0 to i
  bool has_mask = false, mask_is_bool = false;
  std::int64_t mask[4] = {};  ///< strides along batch, head, query, key; 0: repeated

  std::int64_t group() const noexcept { return heads / kv_heads; }
};

/// Reads and checks attributes and operands: q, k, v, mask?. Throws Error{invalid_model}.
AttentionGeometry read_attention(const NodeView& node);

}  // namespace skiff
