#include "platform/sha256_compress.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace skiff::platform::detail {

#if defined(__x86_64__)

// The SHA extension keeps the state as (a,b,e,f) and (c,d,g,h), two rounds per instruction. The
// message schedule lives in four registers that take turns: in step i (four rounds each),
// words[i % 4] is used and the one used in step i - 4 + 1 gets its next four words.
__attribute__((target("sha,sse4.1"))) void sha256_compress_x86(std::uint32_t* state,
                                                               const unsigned char* blocks,
                                                               std::size_t count) noexcept {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  auto* memory = reinterpret_cast<__m128i*>(state);
  const __m128i dcba = _mm_loadu_si128(memory);
  const __m128i hgfe = _mm_loadu_si128(memory + 1);
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

  for (; count > 0; --count, blocks += 64) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i words[4];
    for (int i = 0; i < 4; ++i)
      words[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks) + i),
                                  big_endian);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      if (i >= 4) {
        const __m128i previous = words[(i + 3) % 4];
        const __m128i skewed = _mm_alignr_epi8(previous, words[(i + 2) % 4], 4);
        const __m128i partial =
            _mm_add_epi32(_mm_sha256msg1_epu32(words[i % 4], words[(i + 1) % 4]), skewed);
        words[i % 4] = _mm_sha256msg2_epu32(partial, previous);
      }
      const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kSha256Rounds) + i);
      const __m128i sum = _mm_add_epi32(words[i % 4], constants);
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }

  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(memory, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(memory + 1, _mm_alignr_epi8(dchg, feba, 8));
}

#else

void sha256_compress_x86(std::uint32_t*, const unsigned char*, std::size_t) noexcept {}

#endif

}  // namespace skiff::platform::detail
