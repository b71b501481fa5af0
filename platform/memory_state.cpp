#include "platform/memory_state.h"

#include <charconv>
#include <string_view>

#include "platform/small_file.h"

namespace skiff::platform {
namespace {

// "VmRSS:	    5120 kB" -> 5242880.
std::uint64_t field(std::string_view text, std::string_view key) noexcept {
  std::size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  at = text.find_first_not_of(" \t", at + key.size());
  if (at == std::string_view::npos) return 0;
  std::uint64_t kibibytes = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), kibibytes);
  return kibibytes * 1024;
}

}  // namespace

MemoryState memory_state(const char* root) noexcept {
  MemoryState state;
  char buffer[8192];
  const std::string_view process = read_small_file(root, "/proc/self/status", buffer);
  state.resident = field(process, "VmRSS:");
  state.peak_resident = field(process, "VmHWM:");
  const std::string_view machine = read_small_file(root, "/proc/meminfo", buffer);
  state.available = field(machine, "MemAvailable:");
  state.total = field(machine, "MemTotal:");
  return state;
}

}  // namespace skiff::platform
