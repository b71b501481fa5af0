#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace skiff::platform {

namespace detail {
struct Sha256Code;
}

using Sha256Digest = std::array<std::byte, 32>;

/// Which code computes the digest; all give the same bytes.
enum class Sha256Path : std::uint8_t { portable, x86_sha, arm_crypto };

/// True when this build and this processor have the instructions of `path`.
bool sha256_available(Sha256Path path) noexcept;
/// The fastest available one.
Sha256Path sha256_best_path() noexcept;

/// SHA-256 (FIPS 180-4) over bytes that come in pieces of any size. Allocates nothing.
class Sha256 {
 public:
  Sha256() noexcept : Sha256(sha256_best_path()) {}
  /// `path` must be available.
  explicit Sha256(Sha256Path path) noexcept;

  void update(std::span<const std::byte> bytes) noexcept;
  /// Both updates at once, in less time than one after the other where the processor has the
  /// instructions and both pieces are long.
  static void update_pair(Sha256& a, std::span<const std::byte> of_a, Sha256& b,
                          std::span<const std::byte> of_b) noexcept;
  /// The digest of everything so far; the object is used up afterwards.
  Sha256Digest finish() noexcept;

 private:
  /// Counts the bytes and fills up the block that waits; what is left of them.
  std::span<const std::byte> complete_block(std::span<const std::byte> bytes) noexcept;
  /// No block waits, unless there are no bytes.
  void take_blocks(std::span<const std::byte> bytes) noexcept;

  std::array<std::uint32_t, 8> state_;
  std::array<std::byte, 64> block_;
  std::uint64_t length_ = 0;  // bytes seen; length_ % 64 of them wait in block_
  const detail::Sha256Code* code_;
};

Sha256Digest sha256(std::span<const std::byte> bytes) noexcept;

/// Nanoseconds that this process has spent on digests, all threads together; only differences mean
/// anything.
std::int64_t sha256_ns() noexcept;

/// Lower-case hexadecimal text of a digest, NUL-ended.
std::array<char, 65> to_hex(const Sha256Digest& digest) noexcept;

}  // namespace skiff::platform
