#pragma once

#include <array>
#include <cstddef>

namespace skiff::platform {

/// Instructions that both the processor and the operating system support (wide registers are worth
/// nothing when the kernel does not save them).
struct CpuFeatures {
  // x86-64; SSE2 is part of the architecture
  bool sse2 = false;
  bool avx2_fma = false;  ///< AVX2, FMA and F16C
  bool avx512 = false;    ///< F, BW, DQ and VL
  bool avx512_vnni = false;
  bool avx_vnni = false;
  bool x86_sha = false;  ///< SHA and SSE4.1
  // aarch64; NEON is part of the architecture
  bool neon = false;
  bool fp16 = false;     ///< half-precision arithmetic (asimdhp)
  bool dotprod = false;  ///< sdot and udot
  bool i8mm = false;
  bool arm_sha2 = false;
};

/// Asked of the machine once, then a constant.
const CpuFeatures& cpu_features() noexcept;

/// CPUs this process may run on (its affinity mask), at least 1.
int usable_cpus() noexcept;

/// Bytes; 0 where the system does not say. L1 is the data cache.
struct CacheSizes {
  std::size_t l1 = 0;
  std::size_t l2 = 0;
  std::size_t l3 = 0;
};

/// Caches of CPU 0. `root` as in read_small_file().
CacheSizes cache_sizes(const char* root = "") noexcept;

/// Marketing name of the processor, NUL-ended; "unknown" when nobody says.
std::array<char, 64> cpu_name(const char* root = "") noexcept;

}  // namespace skiff::platform
