#include "platform/sha256_compress.h"

// clang before 16 shows these intrinsics only to files compiled for a processor that has them.
#if defined(__aarch64__) && (!defined(__clang__) || __clang_major__ >= 16)

#include <arm_neon.h>

#define SKIFF_SHA_TARGET __attribute__((target("+crypto")))

namespace skiff::platform::detail {
namespace {

using Vector = uint32x4_t;

/// The state as it is: (a,b,c,d) and (e,f,g,h).
struct Lane {
  Vector state[2], words[4];
};

SKIFF_SHA_TARGET inline Vector add(Vector a, Vector b) noexcept { return vaddq_u32(a, b); }

SKIFF_SHA_TARGET inline void load(Lane& lane, const std::uint32_t* state) noexcept {
  for (int i = 0; i < 2; ++i) lane.state[i] = vld1q_u32(state + 4 * i);
}

SKIFF_SHA_TARGET inline void store(const Lane& lane, std::uint32_t* state) noexcept {
  for (int i = 0; i < 2; ++i) vst1q_u32(state + 4 * i, lane.state[i]);
}

SKIFF_SHA_TARGET inline void take_block(Lane& lane, const unsigned char* block) noexcept {
  for (int i = 0; i < 4; ++i)
    lane.words[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(block + 16 * i)));
}

SKIFF_SHA_TARGET inline void rounds(Lane& lane, int i, const std::uint32_t* constants) noexcept {
  const Vector sum = add(lane.words[i], vld1q_u32(constants));
  const Vector before = lane.state[0];
  lane.state[0] = vsha256hq_u32(lane.state[0], lane.state[1], sum);
  lane.state[1] = vsha256h2q_u32(lane.state[1], before, sum);
}

SKIFF_SHA_TARGET inline void schedule(Lane& lane, int i) noexcept {
  lane.words[i] = vsha256su1q_u32(vsha256su0q_u32(lane.words[i], lane.words[(i + 1) % 4]),
                                  lane.words[(i + 2) % 4], lane.words[(i + 3) % 4]);
}

SKIFF_SHA_TARGET inline void hold(Lane& lane, int i) noexcept {
  asm volatile("" : "+w"(lane.state[0]), "+w"(lane.state[1]), "+w"(lane.words[i]));
}

}  // namespace
}  // namespace skiff::platform::detail

#include "platform/sha256_lanes.h"

namespace skiff::platform::detail {

const bool kSha256ArmBuilt = true;

SKIFF_SHA_TARGET void sha256_compress_arm(std::uint32_t* state, const unsigned char* blocks,
                                          std::size_t count) noexcept {
  compress_one(state, blocks, count);
}

SKIFF_SHA_TARGET void sha256_compress_pair_arm(const Sha256Pair& pair) noexcept {
  compress_pair(pair);
}

}  // namespace skiff::platform::detail

#else

namespace skiff::platform::detail {

const bool kSha256ArmBuilt = false;
void sha256_compress_arm(std::uint32_t*, const unsigned char*, std::size_t) noexcept {}
void sha256_compress_pair_arm(const Sha256Pair&) noexcept {}

}  // namespace skiff::platform::detail

#endif
