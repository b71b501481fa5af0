#pragma once

#include <skiff/session.h>

#include <string>

#include "runtime/cli/commands.h"
#include "runtime/cli/output.h"

namespace skiff::cli {

/// The steps in order with their kernels and scratch, as the array `steps` and as text.
void list_plan(const Session& session, Json& json, std::string& text);

/// The same with where each step runs, why the CPU runs those that it does (`why_cpu`), and what is
/// copied between the memories of CPU and GPU in a run (the array `borders`), with sums
/// (`placement`).
void list_placement(const Session& session, const Common& common, Json& json, std::string& text);

}  // namespace skiff::cli
