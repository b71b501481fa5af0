#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// How this thread's floating-point unit treats subnormal numbers, below 2^-126 in magnitude.
// Networks bring them along: weights that training let decay, states and tails of exponentials that
// fade. They do not show in a result, but x86 processors take many times as long for each.
namespace skiff::cpu {

#if defined(__x86_64__)
/// MXCSR.
using FloatMode = std::uint32_t;
constexpr FloatMode kFlushSubnormals = 0x8040;  // DAZ and FTZ: as operands and as results
inline FloatMode float_mode() noexcept { return _mm_getcsr(); }
inline void set_float_mode(FloatMode mode) noexcept { _mm_setcsr(mode); }
#elif defined(__aarch64__)
/// FPCR.
using FloatMode = std::uint64_t;
constexpr FloatMode kFlushSubnormals = std::uint64_t{1} << 24;  // FZ
inline FloatMode float_mode() noexcept {
  FloatMode mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
inline void set_float_mode(FloatMode mode) noexcept {
  asm volatile("msr fpcr, %0" : : "r"(mode) : "memory");
}
#endif

/// Subnormal numbers are zero for this thread as long as one of these exists, whatever they were
/// before.
class FlushSubnormals {
 public:
  FlushSubnormals() noexcept : before_(float_mode()) { set_float_mode(before_ | kFlushSubnormals); }
  ~FlushSubnormals() { set_float_mode(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  FloatMode before_;
};

}  // namespace skiff::cpu
