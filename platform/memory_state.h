#pragma once

#include <cstdint>

namespace skiff::platform {

/// Bytes; 0 where the system does not say.
struct MemoryState {
  std::uint64_t resident = 0;       ///< of this process now (VmRSS)
  std::uint64_t peak_resident = 0;  ///< the most it ever was (VmHWM)
  std::uint64_t available = 0;      ///< what the machine could still give (MemAvailable)
  std::uint64_t total = 0;          ///< of the machine
};

/// Allocates nothing. `root` as in read_small_file().
MemoryState memory_state(const char* root = "") noexcept;

}  // namespace skiff::platform
