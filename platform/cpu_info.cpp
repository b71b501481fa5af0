#include "platform/cpu_info.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "platform/small_file.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace skiff::platform {
namespace {

#if defined(__x86_64__)

constexpr bool bit(std::uint32_t value, int position) { return (value >> position & 1) != 0; }

// Which register sets the operating system saves (XCR0). Written in bytes because the intrinsic
// would need a target flag.
std::uint32_t saved_registers() noexcept {
  std::uint32_t low, high;
  __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

CpuFeatures detect() noexcept {
  CpuFeatures features;
  features.sse2 = true;
  std::uint32_t a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return features;
  const bool sse41 = bit(c, 19), fma = bit(c, 12), f16c = bit(c, 29), avx = bit(c, 28);
  const std::uint32_t saved = bit(c, 27) ? saved_registers() : 0;
  const bool saves_ymm = avx && (saved & 0x06) == 0x06;
  const bool saves_zmm = saves_ymm && (saved & 0xe6) == 0xe6;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return features;
  features.x86_sha = sse41 && bit(b, 29);
  features.avx2_fma = saves_ymm && bit(b, 5) && fma && f16c;
  features.avx512 =
      saves_zmm && features.avx2_fma && bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31);
  features.avx512_vnni = features.avx512 && bit(c, 11);
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) != 0)
    features.avx_vnni = features.avx2_fma && bit(a, 4);
  return features;
}

#elif defined(__aarch64__)

CpuFeatures detect() noexcept {
  const unsigned long first = ::getauxval(AT_HWCAP);
  const unsigned long second = ::getauxval(AT_HWCAP2);
  CpuFeatures features;
  features.neon = (first & HWCAP_ASIMD) != 0;
  features.fp16 = (first & HWCAP_ASIMDHP) != 0 && (first & HWCAP_FPHP) != 0;
  features.dotprod = (first & HWCAP_ASIMDDP) != 0;
  features.arm_sha2 = (first & HWCAP_SHA2) != 0;
  features.i8mm = (second & (1UL << 13)) != 0;  // HWCAP2_I8MM, younger than some C libraries
  return features;
}

#else

CpuFeatures detect() noexcept { return {}; }

#endif

// "48K" or "32M" as sysfs writes it.
std::size_t parse_size(std::string_view text) noexcept {
  std::size_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value).ptr;
  const char unit = end < text.data() + text.size() ? *end : ' ';
  return unit == 'K' ? value << 10 : unit == 'M' ? value << 20 : value;
}

// The text after "key : " of the first line of /proc/cpuinfo that starts with `key`.
std::string_view cpuinfo_field(std::string_view text, std::string_view key) noexcept {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  text = text.substr(0, text.find('\n'));
  const std::size_t begin = text.find_first_not_of(" \t:");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

// Boards do not name their cores; the part number of ARM Ltd. (implementer 0x41) does.
std::string_view arm_core_name(std::string_view cpuinfo) noexcept {
  struct Part {
    std::string_view implementer, part, name;
  };
  static constexpr Part parts[] = {
      {"0x41", "0xd03", "Cortex-A53"},    {"0x41", "0xd07", "Cortex-A57"},
      {"0x41", "0xd08", "Cortex-A72"},    {"0x41", "0xd0b", "Cortex-A76"},
      {"0x41", "0xd0c", "Neoverse-N1"},   {"0x41", "0xd40", "Neoverse-V1"},
      {"0x41", "0xd42", "Cortex-A78AE"},  {"0x41", "0xd49", "Neoverse-N2"},
      {"0x41", "0xd4f", "Neoverse-V2"},   {"0x41", "0xd83", "Neoverse-V3AE"},
      {"0x41", "0xd84", "Neoverse-V3"},   {"0x4e", "0x003", "NVIDIA Denver 2"},
      {"0x4e", "0x004", "NVIDIA Carmel"},
  };
  const std::string_view implementer = cpuinfo_field(cpuinfo, "CPU implementer");
  const std::string_view part = cpuinfo_field(cpuinfo, "CPU part");
  for (const Part& known : parts)
    if (known.implementer == implementer && known.part == part) return known.name;
  return {};
}

}  // namespace

const CpuFeatures& cpu_features() noexcept {
  static const CpuFeatures features = detect();
  return features;
}

int usable_cpus() noexcept {
  std::array<std::uint64_t, 128> mask{};  // 8192 CPUs
  const long bytes = ::syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask.data());
  int count = 0;
  if (bytes > 0)
    for (std::uint64_t word : mask) count += std::popcount(word);
  return std::max(count, 1);
}

CacheSizes cache_sizes(const char* root) noexcept {
  CacheSizes sizes;
  for (int index = 0; index < 8; ++index) {
    char path[96], level[16], type[32], size[32];
    const auto read = [&](const char* name, std::span<char> buffer) {
      std::snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index,
                    name);
      return read_small_file(root, path, buffer);
    };
    const std::string_view which = read("level", level);
    if (which.empty()) break;
    if (read("type", type) == "Instruction") continue;
    std::size_t& slot = which == "1" ? sizes.l1 : which == "2" ? sizes.l2 : sizes.l3;
    slot = parse_size(read("size", size));
  }
  return sizes;
}

std::array<char, 64> cpu_name(const char* root) noexcept {
  char buffer[4096];  // the first CPU's block is enough
  const std::string_view text = read_small_file(root, "/proc/cpuinfo", buffer);
  std::string_view name = cpuinfo_field(text, "model name");
  if (name.empty()) name = arm_core_name(text);
  if (name.empty()) name = "unknown";
  std::array<char, 64> result{};
  std::memcpy(result.data(), name.data(), std::min(name.size(), result.size() - 1));
  return result;
}

}  // namespace skiff::platform
