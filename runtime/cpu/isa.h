#pragma once

#include <span>
#include <string_view>

#include "runtime/cpu/kernel_table.h"

namespace skiff::cpu {

/// Kernel tables of the instruction sets that this build has and this machine can run, best first.
/// Never empty.
std::span<const KernelTable* const> available_tables() noexcept;

/// The table of that name, or the best one for "" and "auto". Throws Error{invalid_argument} that
/// lists what is available.
const KernelTable& choose_table(std::string_view name);

/// Floating-point operations a second of one core with the table's instructions, measured now in
/// about 10 ms; the best of a few tries.
double measured_peak(const KernelTable& table) noexcept;

}  // namespace skiff::cpu
