#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "runtime/ops/parallel.h"
#include "runtime/ops/strided.h"

namespace skiff {

/// Elements a run of the loops below has at most: operands of a run fit the first-level cache.
inline constexpr std::int64_t kRunElements = 4096;

/// Walks a broadcast loop in runs: f(offset of every operand, offset in the dense result, count).
/// Inside a run operand n advances by loop.inner_stride(n). `cost`: simple operations an element.
template <int kOperands, typename F>
void parallel_runs(const RunArgs& args, const StridedLoop<kOperands>& loop, std::int64_t cost,
                   F&& f) {
  const std::int64_t inner = loop.inner(), rows = loop.rows();
  if (inner == 0 || rows == 0) return;
  const std::int64_t pieces = (inner + kRunElements - 1) / kRunElements;
  const std::int64_t grain = grain_for(cost * std::min(inner, kRunElements));
  parallel_chunks(args, rows * pieces, grain, [&](std::int64_t begin, std::int64_t end) {
    Odometer<kOperands> row(loop, begin / pieces);
    std::array<std::int64_t, static_cast<std::size_t>(kOperands)> offsets{};
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t index = item / pieces, from = item % pieces * kRunElements;
      for (int n = 0; n < kOperands; ++n)
        offsets[at(n)] = row.offset(n) + from * loop.inner_stride(n);
      f(offsets, index * inner + from, std::min(kRunElements, inner - from));
      if (item % pieces == pieces - 1) row.next();
    }
  });
}

/// The same for operands of the result's own shape: f(begin, count).
template <typename F>
void parallel_flat(const RunArgs& args, std::int64_t count, std::int64_t cost, F&& f) {
  parallel_chunks(args, count, grain_for(cost),
                  [&](std::int64_t begin, std::int64_t end) { f(begin, end - begin); });
}

}  // namespace skiff
