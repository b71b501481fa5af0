#include "platform/sha256.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "platform/clock.h"
#include "platform/cpu_info.h"
#include "platform/sha256_compress.h"

namespace skiff::platform {
namespace detail {

alignas(64) const std::uint32_t kSha256Rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

namespace {

std::uint32_t load_big_endian(const unsigned char* bytes) noexcept {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | static_cast<std::uint32_t>(bytes[3]);
}

void expand_message(const unsigned char* block, std::uint32_t (&words)[64]) noexcept {
  for (int i = 0; i < 16; ++i) words[i] = load_big_endian(block + 4 * i);
  for (int i = 16; i < 64; ++i) {
    const std::uint32_t early = words[i - 15];
    const std::uint32_t late = words[i - 2];
    const std::uint32_t s0 = std::rotr(early, 7) ^ std::rotr(early, 18) ^ (early >> 3);
    const std::uint32_t s1 = std::rotr(late, 17) ^ std::rotr(late, 19) ^ (late >> 10);
    words[i] = words[i - 16] + s0 + words[i - 7] + s1;
  }
}

}  // namespace

void sha256_compress_portable(std::uint32_t* state, const unsigned char* blocks,
                              std::size_t count) noexcept {
  for (; count > 0; --count, blocks += 64) {
    std::uint32_t words[64];
    expand_message(blocks, words);
    std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    std::uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; ++i) {
      const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kSha256Rounds[i] + words[i];
      const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1;
      d = c, c = b, b = a, a = t1 + t2;
    }
    const std::uint32_t rounds[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; ++i) state[i] += rounds[i];
  }
}

void sha256_compress_pair_portable(const Sha256Pair& pair) noexcept {
  for (int i : {0, 1}) sha256_compress_portable(pair.states[i], pair.blocks[i], pair.count);
}

}  // namespace detail

bool sha256_available(Sha256Path path) noexcept {
  switch (path) {
    case Sha256Path::portable:
      return true;
    case Sha256Path::x86_sha:
      return cpu_features().x86_sha;
    case Sha256Path::arm_crypto:
      return detail::kSha256ArmBuilt && cpu_features().arm_sha2;
  }
  return false;
}

Sha256Path sha256_best_path() noexcept {
  for (Sha256Path path : {Sha256Path::x86_sha, Sha256Path::arm_crypto})
    if (sha256_available(path)) return path;
  return Sha256Path::portable;
}

namespace {

const detail::Sha256Code& code_of(Sha256Path path) noexcept {
  static constexpr detail::Sha256Code kPortable{detail::sha256_compress_portable,
                                                detail::sha256_compress_pair_portable};
  static constexpr detail::Sha256Code kX86{detail::sha256_compress_x86,
                                           detail::sha256_compress_pair_x86};
  static constexpr detail::Sha256Code kArm{detail::sha256_compress_arm,
                                           detail::sha256_compress_pair_arm};
  return path == Sha256Path::x86_sha ? kX86 : path == Sha256Path::arm_crypto ? kArm : kPortable;
}

std::atomic<std::int64_t> g_ns{0};

/// Counts the time until its end.
class Timed {
 public:
  Timed() noexcept : begin_(monotonic_ns()) {}
  ~Timed() { g_ns.fetch_add(monotonic_ns() - begin_, std::memory_order_relaxed); }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  std::int64_t begin_;
};

}  // namespace

std::int64_t sha256_ns() noexcept { return g_ns.load(std::memory_order_relaxed); }

Sha256::Sha256(Sha256Path path) noexcept
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
      block_{},
      code_(&code_of(path)) {}

std::span<const std::byte> Sha256::complete_block(std::span<const std::byte> bytes) noexcept {
  const std::size_t waiting = length_ % 64;
  length_ += bytes.size();
  if (waiting == 0 || bytes.empty()) return bytes;
  const std::size_t taken = std::min(bytes.size(), 64 - waiting);
  std::memcpy(block_.data() + waiting, bytes.data(), taken);
  if (waiting + taken == 64)
    code_->compress(state_.data(), reinterpret_cast<const unsigned char*>(block_.data()), 1);
  return bytes.subspan(taken);
}

void Sha256::take_blocks(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return;
  const std::size_t whole = bytes.size() / 64;
  code_->compress(state_.data(), reinterpret_cast<const unsigned char*>(bytes.data()), whole);
  bytes = bytes.subspan(whole * 64);
  if (!bytes.empty()) std::memcpy(block_.data(), bytes.data(), bytes.size());
}

void Sha256::update(std::span<const std::byte> bytes) noexcept {
  const Timed timed;
  take_blocks(complete_block(bytes));
}

void Sha256::update_pair(Sha256& a, std::span<const std::byte> of_a, Sha256& b,
                         std::span<const std::byte> of_b) noexcept {
  const Timed timed;
  of_a = a.complete_block(of_a);
  of_b = b.complete_block(of_b);
  const std::size_t both = a.code_ == b.code_ ? std::min(of_a.size(), of_b.size()) / 64 : 0;
  const detail::Sha256Pair pair{{a.state_.data(), b.state_.data()},
                                {reinterpret_cast<const unsigned char*>(of_a.data()),
                                 reinterpret_cast<const unsigned char*>(of_b.data())},
                                both};
  if (both > 0) a.code_->compress_pair(pair);
  a.take_blocks(of_a.subspan(both * 64));
  b.take_blocks(of_b.subspan(both * 64));
}

Sha256Digest Sha256::finish() noexcept {
  const std::uint64_t bits = length_ * 8;
  std::byte padding[72] = {std::byte{0x80}};
  const std::size_t zeros = (119 - length_ % 64) % 64;  // after the 0x80, before the 8 length bytes
  for (std::size_t i = 0; i < 8; ++i)
    padding[1 + zeros + i] = static_cast<std::byte>(bits >> (56 - 8 * i));
  update({padding, 1 + zeros + 8});
  Sha256Digest digest;
  for (std::size_t i = 0; i < 32; ++i)
    digest[i] = static_cast<std::byte>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

Sha256Digest sha256(std::span<const std::byte> bytes) noexcept {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::array<char, 65> to_hex(const Sha256Digest& digest) noexcept {
  std::array<char, 65> text{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const unsigned value = std::to_integer<unsigned>(digest[i]);
    text[2 * i] = "0123456789abcdef"[value >> 4];
    text[2 * i + 1] = "0123456789abcdef"[value & 15];
  }
  return text;
}

}  // namespace skiff::platform
