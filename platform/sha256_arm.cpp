#include "platform/sha256_compress.h"

// clang before 16 shows these intrinsics only to files compiled for a processor that has them.
#if defined(__aarch64__) && (!defined(__clang__) || __clang_major__ >= 16)
#define SKIFF_ARM_SHA2 1
#include <arm_neon.h>
#endif

namespace skiff::platform::detail {

#if defined(SKIFF_ARM_SHA2)

const bool kSha256ArmBuilt = true;

__attribute__((target("+crypto"))) void sha256_compress_arm(std::uint32_t* state,
                                                            const unsigned char* blocks,
                                                            std::size_t count) noexcept {
  uint32x4_t abcd = vld1q_u32(state);
  uint32x4_t efgh = vld1q_u32(state + 4);
  for (; count > 0; --count, blocks += 64) {
    const uint32x4_t abcd_before = abcd;
    const uint32x4_t efgh_before = efgh;
    uint32x4_t words[4];
    for (int i = 0; i < 4; ++i)
      words[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(blocks + 16 * i)));
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      if (i >= 4)
        words[i % 4] = vsha256su1q_u32(vsha256su0q_u32(words[i % 4], words[(i + 1) % 4]),
                                       words[(i + 2) % 4], words[(i + 3) % 4]);
      const uint32x4_t sum = vaddq_u32(words[i % 4], vld1q_u32(kSha256Rounds + 4 * i));
      const uint32x4_t abcd_old = abcd;
      abcd = vsha256hq_u32(abcd, efgh, sum);
      efgh = vsha256h2q_u32(efgh, abcd_old, sum);
    }
    abcd = vaddq_u32(abcd, abcd_before);
    efgh = vaddq_u32(efgh, efgh_before);
  }
  vst1q_u32(state, abcd);
  vst1q_u32(state + 4, efgh);
}

#else

const bool kSha256ArmBuilt = false;
void sha256_compress_arm(std::uint32_t*, const unsigned char*, std::size_t) noexcept {}

#endif

}  // namespace skiff::platform::detail
