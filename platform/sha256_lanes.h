#pragma once

#include "platform/sha256_compress.h"

// What the files for special instructions share. Each defines before it includes this:
//   SKIFF_SHA_TARGET                       the attribute that lets a function use the instructions
//   Vector                                 four numbers, and add(Vector, Vector)
//   struct Lane {Vector state[2], words[4];}   one message on its way, and of it:
//   load(lane, state), store(lane, state)  the state a to h, as the instructions keep it
//   take_block(lane, block)                64 bytes become the first 16 words of the schedule
//   rounds(lane, i, constants)             four rounds with words[i]
//   schedule(lane, i)                      words[i], just used, becomes the four words that are due
//                                          four steps later: the registers take turns
//   hold(lane, i)                          computes nothing; the compiler has state and words[i] in
//                                          registers here, and moves no step across: mixed up, two
//                                          messages take more registers than there are
namespace skiff::platform::detail {
namespace {

/// Folds `count` blocks of each message into its state. The messages' rounds alternate.
template <int kLanes>
SKIFF_SHA_TARGET __attribute__((always_inline)) inline void compress(
    std::uint32_t* const (&states)[kLanes], const unsigned char* (&blocks)[kLanes],
    std::size_t count) noexcept {
  Lane lanes[kLanes];
  for (int l = 0; l < kLanes; ++l) load(lanes[l], states[l]);
  for (; count > 0; --count) {
    Vector before[kLanes][2];
    for (int l = 0; l < kLanes; ++l) {
      for (int i = 0; i < 2; ++i) before[l][i] = lanes[l].state[i];
      take_block(lanes[l], blocks[l]);
      blocks[l] += 64;
    }
#pragma GCC unroll 1
    for (int step = 0; step < 12; step += 4)
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
#pragma GCC unroll 2
        for (int l = 0; l < kLanes; ++l) {
          rounds(lanes[l], i, kSha256Rounds + 4 * (step + i));
          schedule(lanes[l], i);
          hold(lanes[l], i);
        }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
#pragma GCC unroll 2
      for (int l = 0; l < kLanes; ++l) rounds(lanes[l], i, kSha256Rounds + 4 * (12 + i));
    for (int l = 0; l < kLanes; ++l)
      for (int i = 0; i < 2; ++i) lanes[l].state[i] = add(lanes[l].state[i], before[l][i]);
  }
  for (int l = 0; l < kLanes; ++l) store(lanes[l], states[l]);
}

SKIFF_SHA_TARGET inline void compress_one(std::uint32_t* state, const unsigned char* blocks,
                                          std::size_t count) noexcept {
  std::uint32_t* const states[1] = {state};
  const unsigned char* all[1] = {blocks};
  compress(states, all, count);
}

SKIFF_SHA_TARGET inline void compress_pair(const Sha256Pair& pair) noexcept {
  std::uint32_t* const states[2] = {pair.states[0], pair.states[1]};
  const unsigned char* all[2] = {pair.blocks[0], pair.blocks[1]};
  compress(states, all, pair.count);
}

}  // namespace
}  // namespace skiff::platform::detail
