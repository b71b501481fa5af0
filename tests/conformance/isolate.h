#pragma once

#include <functional>
#include <vector>

#include "tests/conformance/run_case.h"

namespace skiff::conformance {

/// Runs every case in a process of its own, `jobs` at a time: a crash or a hang is that case's
/// failure and nobody else's. `done(index, outcome)` is called in the order of completion.
void run_isolated(const std::vector<CasePath>& cases, const std::string& device, int jobs,
                  int timeout_seconds,
                  const std::function<void(std::size_t, const Outcome&)>& done);

}  // namespace skiff::conformance
