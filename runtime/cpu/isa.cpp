#include "runtime/cpu/isa.h"

#include <algorithm>
#include <array>
#include <string>

#include "platform/clock.h"
#include "platform/cpu_info.h"
#include "runtime/core/error.h"

namespace skiff::cpu {

#if defined(__x86_64__)
extern const KernelTable kTable_avx512, kTable_avx2, kTable_sse2;
extern const IntegerTable kIntegers_avx512vnni;
#elif defined(__aarch64__)
extern const KernelTable kTable_neon;
extern const IntegerTable kIntegers_neondot;
extern const HalfTable kHalves_neonhalf;
#endif

namespace {

struct Available {
  std::array<const KernelTable*, 4> tables{};
  std::size_t count = 0;
};

Available find_tables() noexcept {
  Available found;
  const auto add = [&found](const KernelTable& table, bool runs) {
    if (runs) found.tables[found.count++] = &table;
  };
  const platform::CpuFeatures& cpu = platform::cpu_features();
#if defined(__x86_64__)
  add(kTable_avx512, cpu.avx512);
  add(kTable_avx2, cpu.avx2_fma);
  add(kTable_sse2, cpu.sse2);
#elif defined(__aarch64__)
  add(kTable_neon, cpu.neon);
#endif
  return found;
}

}  // namespace

std::span<const KernelTable* const> available_tables() noexcept {
  static const Available found = find_tables();
  return {found.tables.data(), found.count};
}

const KernelTable& choose_table(std::string_view name) {
  const auto tables = available_tables();
  if (name.empty() || name == "auto") return *tables.front();
  std::string names;
  for (const KernelTable* table : tables) {
    if (name == table->name) return *table;
    names += names.empty() ? "" : ", ";
    names += table->name;
  }
  fail(ErrorCode::invalid_argument, "instruction set '", name,
       "' is not available here; this machine and build have: ", names);
}

const IntegerTable& best_integers(const KernelTable& table) noexcept {
  [[maybe_unused]] const platform::CpuFeatures& cpu = platform::cpu_features();
#if defined(__x86_64__)
  if (&table == &kTable_avx512 && cpu.avx512_vnni) return kIntegers_avx512vnni;
#elif defined(__aarch64__)
  if (&table == &kTable_neon && cpu.dotprod) return kIntegers_neondot;
#endif
  return table.integers;
}

const HalfTable* half_products([[maybe_unused]] const KernelTable& table) noexcept {
#if defined(__aarch64__)
  if (&table == &kTable_neon && platform::cpu_features().fp16) return &kHalves_neonhalf;
#endif
  return nullptr;
}

double measured_peak(const KernelTable& table) noexcept {
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const std::int64_t start = platform::monotonic_ns();
    const double operations = table.multiply_adds(150000);
    const auto ns = static_cast<double>(platform::monotonic_ns() - start);
    best = std::max(best, operations / std::max(ns, 1.0) * 1e9);
  }
  return best;
}

}  // namespace skiff::cpu
