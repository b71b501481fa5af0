#pragma once

#include <cstddef>
#include <cstdint>

namespace skiff::platform::detail {

/// The 64 round constants: fractional parts of the cube roots of the first 64 primes.
extern const std::uint32_t kSha256Rounds[64];

/// Two messages that are hashed side by side: `count` blocks of 64 bytes of each.
struct Sha256Pair {
  std::uint32_t* states[2];
  const unsigned char* blocks[2];
  std::size_t count;
};

/// Each folds `count` blocks of 64 bytes into `state` (a to h), or those of a pair. Rounds wait for
/// one another: with special instructions a pair takes less time than its two messages. The ones
/// for special instructions exist in every build and do nothing where the architecture is another
/// one; sha256_available() says when they may be called.
void sha256_compress_portable(std::uint32_t* state, const unsigned char* blocks,
                              std::size_t count) noexcept;
void sha256_compress_x86(std::uint32_t* state, const unsigned char* blocks,
                         std::size_t count) noexcept;
void sha256_compress_arm(std::uint32_t* state, const unsigned char* blocks,
                         std::size_t count) noexcept;
void sha256_compress_pair_portable(const Sha256Pair& pair) noexcept;
void sha256_compress_pair_x86(const Sha256Pair& pair) noexcept;
void sha256_compress_pair_arm(const Sha256Pair& pair) noexcept;

/// The two of a Sha256Path.
struct Sha256Code {
  void (*compress)(std::uint32_t* state, const unsigned char* blocks, std::size_t count) noexcept;
  void (*compress_pair)(const Sha256Pair& pair) noexcept;
};

/// False where the compiler could not build the ARM code.
extern const bool kSha256ArmBuilt;

}  // namespace skiff::platform::detail
