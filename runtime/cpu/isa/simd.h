#pragma once

// The instruction set's vectors behind a few names, on Eigen's packets. Included only by isa/*.cpp,
// each of which defines SKIFF_ISA; Eigen's own namespace gets a name per object, so that no two
// objects share one of its functions.
#define SKIFF_JOIN_(a, b) a##b
#define SKIFF_JOIN(a, b) SKIFF_JOIN_(a, b)
#define Eigen SKIFF_JOIN(skiff_eigen_, SKIFF_ISA)
#define EIGEN_DONT_PARALLELIZE
#define EIGEN_NO_IO

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>
#pragma GCC diagnostic pop

#include <cstdint>

#include "runtime/cpu/kernel_table.h"

#define SKIFF_INLINE __attribute__((always_inline)) inline

namespace skiff::cpu {
namespace {

using Vec = Eigen::internal::packet_traits<float>::type;
constexpr int kLanes = Eigen::internal::packet_traits<float>::size;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // alignment, which the block has by itself
/// As many vectors as one has lanes.
using Square = Eigen::internal::PacketBlock<Vec, kLanes>;
/// As many int32 as a vector has floats.
using IVec = Eigen::internal::unpacket_traits<Vec>::integer_packet;
#pragma GCC diagnostic pop

SKIFF_INLINE Vec load(const float* from) { return Eigen::internal::ploadu<Vec>(from); }
SKIFF_INLINE void store(float* to, Vec v) { Eigen::internal::pstoreu(to, v); }
SKIFF_INLINE Vec splat(float value) { return Eigen::internal::pset1<Vec>(value); }
SKIFF_INLINE Vec zero() { return Eigen::internal::pzero(splat(0)); }
SKIFF_INLINE Vec add(Vec a, Vec b) { return Eigen::internal::padd(a, b); }
SKIFF_INLINE Vec sub(Vec a, Vec b) { return Eigen::internal::psub(a, b); }
SKIFF_INLINE Vec mul(Vec a, Vec b) { return Eigen::internal::pmul(a, b); }
SKIFF_INLINE Vec div(Vec a, Vec b) { return Eigen::internal::pdiv(a, b); }
/// a * b + c, fused where the instruction set can.
SKIFF_INLINE Vec fma(Vec a, Vec b, Vec c) { return Eigen::internal::pmadd(a, b, c); }
/// A NaN in v stays; the bound must not be NaN.
SKIFF_INLINE Vec at_least(Vec v, Vec bound) { return Eigen::internal::pmax(v, bound); }
SKIFF_INLINE Vec at_most(Vec v, Vec bound) { return Eigen::internal::pmin(v, bound); }
/// NaN where either is.
SKIFF_INLINE Vec lowest_nan(Vec a, Vec b) {
  return Eigen::internal::pmin<Eigen::PropagateNaN>(a, b);
}
SKIFF_INLINE Vec largest_nan(Vec a, Vec b) {
  return Eigen::internal::pmax<Eigen::PropagateNaN>(a, b);
}

// The first `count` lanes, 0 <= count <= kLanes; the others read as 0 and are not touched.
#if defined(__AVX512F__)
SKIFF_INLINE __mmask16 first(std::int64_t count) {
  return static_cast<__mmask16>((1U << static_cast<unsigned>(count)) - 1U);
}
SKIFF_INLINE Vec load_first(const float* from, std::int64_t count) {
  return _mm512_maskz_loadu_ps(first(count), from);
}
SKIFF_INLINE void store_first(float* to, Vec v, std::int64_t count) {
  _mm512_mask_storeu_ps(to, first(count), v);
}
#elif defined(__AVX2__)
SKIFF_INLINE __m256i first(std::int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
SKIFF_INLINE Vec load_first(const float* from, std::int64_t count) {
  return _mm256_maskload_ps(from, first(count));
}
SKIFF_INLINE void store_first(float* to, Vec v, std::int64_t count) {
  _mm256_maskstore_ps(to, first(count), v);
}
#else
SKIFF_INLINE Vec load_first(const float* from, std::int64_t count) {
  float lanes[kLanes] = {};
  for (std::int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  return load(lanes);
}
SKIFF_INLINE void store_first(float* to, Vec v, std::int64_t count) {
  float lanes[kLanes];
  store(lanes, v);
  for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}
#endif

/// Which lanes of a vector are meant: all of them, or the first `count`. Kernels take one or the
/// other as a template parameter, so that the common case holds no test.
struct AllLanes {};
struct FirstLanes {
  std::int64_t count;
};
SKIFF_INLINE Vec load(const float* from, AllLanes) { return load(from); }
SKIFF_INLINE Vec load(const float* from, FirstLanes lanes) { return load_first(from, lanes.count); }
SKIFF_INLINE void store(float* to, Vec v, AllLanes) { store(to, v); }
SKIFF_INLINE void store(float* to, Vec v, FirstLanes lanes) { store_first(to, v, lanes.count); }

/// Lanes of the vector at `at` that lie before `end`, 0 to kLanes.
SKIFF_INLINE FirstLanes lanes_before(std::int64_t at, std::int64_t end) {
  const std::int64_t left = end - at;
  return {left < 0 ? 0 : left < kLanes ? left : kLanes};
}

/// 0 <= at < extent.
SKIFF_INLINE bool inside(std::int32_t at, std::int32_t extent) {
  return static_cast<std::uint32_t>(at) < static_cast<std::uint32_t>(extent);
}

}  // namespace
}  // namespace skiff::cpu
