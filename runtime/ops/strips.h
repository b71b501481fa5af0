#pragma once

#include "runtime/ops/parallel.h"
#include "runtime/ops/strided.h"

namespace skiff {

/// Columns of a strip that a lane operator works on at a time.
inline constexpr std::int64_t kColumns = 128;

/// Calls f(at, columns) for every strip of neighbouring lanes along an axis: its first element lies
/// at `at`, the next ones of a lane split.inner further. `cost`: operations an element.
template <typename F>
void for_strips(const RunArgs& args, const AxisSplit& split, std::int64_t cost, F&& f) noexcept {
  const std::int64_t strips = ceil_div(split.inner, kColumns);
  const std::int64_t grain = grain_for(split.extent * std::min(kColumns, split.inner) * cost);
  parallel_chunks(args, split.outer * strips, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t from = i % strips * kColumns;
      f(i / strips * split.extent * split.inner + from, std::min(kColumns, split.inner - from));
    }
  });
}

}  // namespace skiff
