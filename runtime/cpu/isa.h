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

/// What multiplies 8-bit integers best on this machine beside the table's kernels: the table's own
/// products, or those of an extension of its instruction set.
const IntegerTable& best_integers(const KernelTable& table) noexcept;

/// Products with sums in float16, of an extension of the table's instruction set; null where this
/// build or machine has none.
const HalfTable* half_products(const KernelTable& table) noexcept;

/// Floating-point operations a second of one core with the table's instructions, measured now in
/// about 10 ms; the best of a few tries.
double measured_peak(const KernelTable& table) noexcept;

}  // namespace skiff::cpu
