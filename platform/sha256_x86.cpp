#include "platform/sha256_compress.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define SKIFF_SHA_TARGET __attribute__((target("sha,sse4.1")))

namespace skiff::platform::detail {
namespace {

using Vector = __m128i;

/// The state as the SHA extension keeps it: (a,b,e,f) and (c,d,g,h).
struct Lane {
  Vector state[2], words[4];
};

SKIFF_SHA_TARGET inline Vector add(Vector a, Vector b) noexcept { return _mm_add_epi32(a, b); }

SKIFF_SHA_TARGET inline void load(Lane& lane, const std::uint32_t* state) noexcept {
  const auto* memory = reinterpret_cast<const __m128i*>(state);
  const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(memory), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(memory + 1), 0x1b);
  lane.state[0] = _mm_alignr_epi8(cdab, efgh, 8);
  lane.state[1] = _mm_blend_epi16(efgh, cdab, 0xf0);
}

SKIFF_SHA_TARGET inline void store(const Lane& lane, std::uint32_t* state) noexcept {
  auto* memory = reinterpret_cast<__m128i*>(state);
  const __m128i feba = _mm_shuffle_epi32(lane.state[0], 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(lane.state[1], 0xb1);
  _mm_storeu_si128(memory, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(memory + 1, _mm_alignr_epi8(dchg, feba, 8));
}

SKIFF_SHA_TARGET inline void take_block(Lane& lane, const unsigned char* block) noexcept {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const auto* memory = reinterpret_cast<const __m128i*>(block);
  for (int i = 0; i < 4; ++i)
    lane.words[i] = _mm_shuffle_epi8(_mm_loadu_si128(memory + i), big_endian);
}

SKIFF_SHA_TARGET inline void rounds(Lane& lane, int i, const std::uint32_t* constants) noexcept {
  const __m128i sum =
      add(lane.words[i], _mm_load_si128(reinterpret_cast<const __m128i*>(constants)));
  lane.state[1] = _mm_sha256rnds2_epu32(lane.state[1], lane.state[0], sum);
  lane.state[0] = _mm_sha256rnds2_epu32(lane.state[0], lane.state[1], _mm_shuffle_epi32(sum, 0x0e));
}

SKIFF_SHA_TARGET inline void schedule(Lane& lane, int i) noexcept {
  const __m128i newest = lane.words[(i + 3) % 4];
  const __m128i skewed = _mm_alignr_epi8(newest, lane.words[(i + 2) % 4], 4);
  const __m128i partial = add(_mm_sha256msg1_epu32(lane.words[i], lane.words[(i + 1) % 4]), skewed);
  lane.words[i] = _mm_sha256msg2_epu32(partial, newest);
}

SKIFF_SHA_TARGET inline void hold(Lane& lane, int i) noexcept {
  asm volatile("" : "+x"(lane.state[0]), "+x"(lane.state[1]), "+x"(lane.words[i]));
}

}  // namespace
}  // namespace skiff::platform::detail

#include "platform/sha256_lanes.h"

namespace skiff::platform::detail {

SKIFF_SHA_TARGET void sha256_compress_x86(std::uint32_t* state, const unsigned char* blocks,
                                          std::size_t count) noexcept {
  compress_one(state, blocks, count);
}

SKIFF_SHA_TARGET void sha256_compress_pair_x86(const Sha256Pair& pair) noexcept {
  compress_pair(pair);
}

}  // namespace skiff::platform::detail

#else

namespace skiff::platform::detail {

void sha256_compress_x86(std::uint32_t*, const unsigned char*, std::size_t) noexcept {}
void sha256_compress_pair_x86(const Sha256Pair&) noexcept {}

}  // namespace skiff::platform::detail

#endif
