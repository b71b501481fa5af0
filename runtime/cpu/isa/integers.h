#pragma once

#include "runtime/cpu/isa/activation.h"

// Vectors of int32 with the one product of 8-bit integers that the instruction set does best, and
// how exact sums become results.
namespace skiff::cpu {
namespace {

SKIFF_INLINE IVec load_integers(const void* from) {
  return ei::ploadu<IVec>(static_cast<const std::int32_t*>(from));
}
SKIFF_INLINE void store_integers(std::int32_t* to, IVec v) { ei::pstoreu(to, v); }
SKIFF_INLINE IVec splat_integer(std::int32_t value) { return ei::pset1<IVec>(value); }
SKIFF_INLINE IVec add(IVec a, IVec b) { return ei::padd(a, b); }
SKIFF_INLINE Vec to_float(IVec v) { return ei::pcast<IVec, Vec>(v); }
/// To the nearest integer, half to even; Eigen's cast cuts off.
SKIFF_INLINE IVec round_even(Vec v) {
#if defined(__AVX512F__)
  return _mm512_cvtps_epi32(v);
#elif defined(__AVX2__)
  return _mm256_cvtps_epi32(v);
#elif defined(__SSE2__)
  return _mm_cvtps_epi32(v);
#else
  return vcvtnq_s32_f32(v);
#endif
}

// multiply(sums, x, w): every lane gains the products of its group of x and w.
#if defined(__AVX512VNNI__)
using Factor = std::int8_t;  // of the input as unsigned numbers
constexpr std::int32_t kInt8Offset = 128, kUint8Offset = 0;
SKIFF_INLINE IVec multiply(IVec sums, IVec x, IVec w) { return _mm512_dpbusd_epi32(sums, x, w); }
#elif defined(__ARM_FEATURE_DOTPROD)
using Factor = std::int8_t;
constexpr std::int32_t kInt8Offset = 0, kUint8Offset = -128;
SKIFF_INLINE IVec multiply(IVec sums, IVec x, IVec w) {
  return vdotq_s32(sums, vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(w));
}
#else
using Factor = std::int16_t;
constexpr std::int32_t kInt8Offset = 0, kUint8Offset = 0;
#if defined(__AVX512F__)
SKIFF_INLINE IVec pairs(IVec x, IVec w) { return _mm512_madd_epi16(x, w); }
#elif defined(__AVX2__)
SKIFF_INLINE IVec pairs(IVec x, IVec w) { return _mm256_madd_epi16(x, w); }
#elif defined(__SSE2__)
SKIFF_INLINE IVec pairs(IVec x, IVec w) { return _mm_madd_epi16(x, w); }
#else
SKIFF_INLINE IVec pairs(IVec x, IVec w) {
  const int16x8_t a = vreinterpretq_s16_s32(x), b = vreinterpretq_s16_s32(w);
  return vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)),
                    vmull_s16(vget_high_s16(a), vget_high_s16(b)));
}
#endif
SKIFF_INLINE IVec multiply(IVec sums, IVec x, IVec w) { return add(sums, pairs(x, w)); }
#endif
constexpr int kGroup = 4 / static_cast<int>(sizeof(Factor));

/// A group of the input's numbers in every lane.
SKIFF_INLINE IVec splat_group(const void* from) {
  std::int32_t group;
  __builtin_memcpy(&group, from, sizeof group);
  return splat_integer(group);
}

/// 0x80 makes of the bits of an int8 those of the uint8 that is 128 more.
SKIFF_INLINE std::uint8_t flip_of(bool is_signed) { return is_signed ? 0x80 : 0; }

/// Unsigned numbers of 8 bits, each with its bits flipped, as floats.
#if defined(__AVX512F__)
SKIFF_INLINE Vec widen(__m128i bytes, std::uint8_t flip) {
  const __m128i flipped = _mm_xor_si128(bytes, _mm_set1_epi8(static_cast<char>(flip)));
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(flipped));
}
SKIFF_INLINE Vec load_bytes(const std::uint8_t* from, std::uint8_t flip, AllLanes) {
  return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), flip);
}
SKIFF_INLINE Vec load_bytes(const std::uint8_t* from, std::uint8_t flip, FirstLanes lanes) {
  return widen(_mm_maskz_loadu_epi8(first(lanes.count), from), flip);
}
#else
SKIFF_INLINE Vec load_bytes(const std::uint8_t* from, std::uint8_t flip, AllLanes) {
#if defined(__AVX2__)
  const __m128i bytes = _mm_xor_si128(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)),
                                      _mm_set1_epi8(static_cast<char>(flip)));
  return to_float(_mm256_cvtepu8_epi32(bytes));
#elif defined(__SSE2__)
  std::int32_t word;
  __builtin_memcpy(&word, from, kLanes);
  const __m128i none = _mm_setzero_si128();
  const __m128i bytes =
      _mm_xor_si128(_mm_cvtsi32_si128(word), _mm_set1_epi8(static_cast<char>(flip)));
  return to_float(_mm_unpacklo_epi16(_mm_unpacklo_epi8(bytes, none), none));
#else
  std::uint32_t word;
  __builtin_memcpy(&word, from, kLanes);
  const uint8x8_t bytes = veor_u8(vreinterpret_u8_u32(vdup_n_u32(word)), vdup_n_u8(flip));
  return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))));
#endif
}
SKIFF_INLINE Vec load_bytes(const std::uint8_t* from, std::uint8_t flip, FirstLanes lanes) {
  std::uint8_t bytes[kLanes] = {};
  for (std::int64_t i = 0; i < lanes.count; ++i) bytes[i] = from[i];
  return load_bytes(bytes, flip, AllLanes{});
}
#endif

SKIFF_INLINE FirstLanes counted(AllLanes) { return {kLanes}; }
SKIFF_INLINE FirstLanes counted(FirstLanes lanes) { return lanes; }

/// The lowest bytes of all lanes, whose numbers are in the type's range.
#if defined(__AVX512F__)
SKIFF_INLINE __m128i lowest_bytes(IVec v) { return _mm512_cvtepi32_epi8(v); }
#elif defined(__AVX2__)
SKIFF_INLINE std::int64_t lowest_bytes(IVec v) {
  const __m256i low = _mm256_and_si256(v, _mm256_set1_epi32(0xff));
  const __m128i halves =
      _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
  return _mm_cvtsi128_si64(_mm_packus_epi16(halves, halves));
}
#elif defined(__SSE2__)
SKIFF_INLINE std::int32_t lowest_bytes(IVec v) {
  const __m128i low = _mm_and_si128(v, _mm_set1_epi32(0xff));
  const __m128i halves = _mm_packs_epi32(low, low);
  return _mm_cvtsi128_si32(_mm_packus_epi16(halves, halves));
}
#else
SKIFF_INLINE std::int32_t lowest_bytes(IVec v) {
  const int16x4_t halves = vmovn_s32(v);
  return vget_lane_s32(vreinterpret_s32_s8(vmovn_s16(vcombine_s16(halves, halves))), 0);
}
#endif
/// Stores those of the first `count` lanes.
SKIFF_INLINE void store_bytes(std::uint8_t* to, IVec v, std::int64_t count) {
  const auto bytes = lowest_bytes(v);
#if defined(__AVX512F__)
  _mm_mask_storeu_epi8(to, first(count), bytes);
#else
  static_assert(sizeof bytes == kLanes);
  if (count == kLanes)
    __builtin_memcpy(to, &bytes, kLanes);
  else
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<std::uint8_t>(bytes >> (8 * i));
#endif
}

/// What the sums of a vector of columns become before they are stored.
struct Scaling {
  Vec factors, bias;

  /// Of columns [column, column + lanes).
  SKIFF_INLINE Scaling(const IntegerResult& r, std::int64_t column, FirstLanes lanes)
      : factors(load(r.factors + column, lanes)),
        bias(r.bias == nullptr ? zero() : mul(splat(r.bias_factor), load(r.bias + column, lanes))) {
  }
  SKIFF_INLINE Vec apply(Vec sums) const { return fma(sums, factors, bias); }
};

/// Stores the values of columns [column, column + lanes) at element `at` of the output.
SKIFF_INLINE void put_result(const IntegerResult& r, Vec value, void* output, std::int64_t at,
                             FirstLanes lanes) {
  value = at_most(at_least(value, splat(r.low)), splat(r.high));
  if (r.bytes)
    store_bytes(static_cast<std::uint8_t*>(output) + at,
                add(round_even(value), splat_integer(r.zero)), lanes.count);
  else
    store(static_cast<float*>(output) + at, value, lanes);
}

}  // namespace
}  // namespace skiff::cpu
