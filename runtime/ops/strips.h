#pragma once

#include "runtime/ops/kernel.h"
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

/// The kernel of an operator that works along one axis: `run` chosen for the operand's dtype, and a
/// plan with a member `split`. Lanes are read before they are written, so it may work in place.
template <typename Plan>
class LaneKernel final : public Kernel {
 public:
  using Run = void (*)(const Plan&, const RunArgs&);
  LaneKernel(const Plan& plan, Run chosen) : plan_(plan), run_(chosen) {}

  bool can_overwrite(int, int) const noexcept override { return true; }

  Status run(const RunArgs& args) noexcept override {
    if (plan_.split.outer * plan_.split.inner > 0) run_(plan_, args);
    return {};
  }

 private:
  Plan plan_;
  Run run_;
};

}  // namespace skiff
