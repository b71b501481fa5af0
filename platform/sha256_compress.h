#pragma once

#include <cstddef>
#include <cstdint>

namespace skiff::platform::detail {

/// The 64 round constants: fractional parts of the cube roots of the first 64 primes.
extern const std::uint32_t kSha256Rounds[64];

/// Each folds `count` blocks of 64 bytes into `state` (a to h). The two for special instructions
/// exist in every build and do nothing where the architecture is another one; sha256_available()
/// says when they may be called.
void sha256_compress_portable(std::uint32_t* state, const unsigned char* blocks,
                              std::size_t count) noexcept;
void sha256_compress_x86(std::uint32_t* state, const unsigned char* blocks,
                         std::size_t count) noexcept;
void sha256_compress_arm(std::uint32_t* state, const unsigned char* blocks,
                         std::size_t count) noexcept;

/// False where the compiler could not build the ARM code.
extern const bool kSha256ArmBuilt;

}  // namespace skiff::platform::detail
