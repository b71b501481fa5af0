#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/session/impl.h"

namespace skiff {

/// Binds with the fastest kernels that the memory limit allows: where all the fastest ones together
/// need too much, those are given up that save the least time for their memory. Throws
/// Error{budget_exceeded} when none of that is enough. `measure`: see SessionMaking.
std::unique_ptr<Session::Impl> bind_within_limit(const Model& model, const SessionOptions& options,
                                                 bool measure = true);

/// What a memory limit buys.
struct BudgetPoint {
  std::uint64_t total = 0;  ///< bytes of model and session, exact
  /// Time of a run over that without limit, estimated by the cost model from operations alone;
  /// fusing more is taken to cost nothing.
  double time = 1;
};

/// From no limit down to the least that is enough.
std::vector<BudgetPoint> budget_curve(const Model& model, const SessionOptions& options);

}  // namespace skiff
