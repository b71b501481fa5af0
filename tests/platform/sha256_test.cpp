#include "platform/sha256.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace skiff::platform {
namespace {

std::vector<Sha256Path> available_paths() {
  std::vector<Sha256Path> paths;
  for (Sha256Path path : {Sha256Path::portable, Sha256Path::x86_sha, Sha256Path::arm_crypto})
    if (sha256_available(path)) paths.push_back(path);
  return paths;
}

std::string hex(Sha256Path path, const std::string& text) {
  Sha256 hash(path);
  hash.update(std::as_bytes(std::span<const char>(text.data(), text.size())));
  return to_hex(hash.finish()).data();
}

// FIPS 180-4 examples and the NIST long test of a million letters.
TEST(Sha256, NistVectors) {
  for (Sha256Path path : available_paths()) {
    EXPECT_EQ(hex(path, ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(path, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(path, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(hex(path,
                  "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmn"
                  "opqklmnopqrlmnopqrsmnopqrstnopqrstu"),
              "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    EXPECT_EQ(hex(path, std::string(1'000'000, 'a')),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

TEST(Sha256, EveryPathAgreesForAnyLengthAndAnySplit) {
  std::mt19937 random(7);
  std::vector<std::byte> bytes(5000);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (int round = 0; round < 400; ++round) {
    const std::size_t length = round < 200 ? static_cast<std::size_t>(round) : random() % 5000;
    const std::span<const std::byte> whole(bytes.data(), length);
    Sha256 reference(Sha256Path::portable);
    reference.update(whole);
    const Sha256Digest expected = reference.finish();
    for (Sha256Path path : available_paths()) {
      Sha256 split(path);
      for (std::span<const std::byte> rest = whole; !rest.empty();) {
        const std::size_t piece = std::min<std::size_t>(rest.size(), random() % 200);
        split.update(rest.first(piece));
        rest = rest.subspan(piece);
      }
      EXPECT_EQ(split.finish(), expected) << "length " << length;
    }
  }
}

std::vector<std::byte> random_bytes(std::size_t count) {
  std::mt19937 random(11);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

Sha256Digest portable(std::span<const std::byte> bytes) {
  Sha256 hash(Sha256Path::portable);
  hash.update(bytes);
  return hash.finish();
}

// The NIST vectors again, each beside each.
TEST(Sha256, PairsGiveTheNistVectors) {
  const std::string texts[] = {"", "abc",
                               "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                               std::string(1'000'000, 'a')};
  const char* digests[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
                           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"};
  for (Sha256Path path : available_paths())
    for (std::size_t i = 0; i < std::size(texts); ++i)
      for (std::size_t j = 0; j < std::size(texts); ++j) {
        Sha256 a(path), b(path);
        Sha256::update_pair(a, std::as_bytes(std::span(texts[i])), b,
                            std::as_bytes(std::span(texts[j])));
        EXPECT_STREQ(to_hex(a.finish()).data(), digests[i]) << i << " beside " << j;
        EXPECT_STREQ(to_hex(b.finish()).data(), digests[j]) << j << " beside " << i;
      }
}

TEST(Sha256, PairsOfAllLengthsAgree) {
  constexpr std::size_t kLongest = 300;
  const std::vector<std::byte> bytes = random_bytes(2 * kLongest);
  const std::span<const std::byte> of_a(bytes.data(), kLongest), of_b(&bytes[kLongest], kLongest);
  std::vector<Sha256Digest> digests_a, digests_b;
  for (std::size_t length = 0; length <= kLongest; ++length) {
    digests_a.push_back(portable(of_a.first(length)));
    digests_b.push_back(portable(of_b.first(length)));
  }
  for (Sha256Path path : available_paths())
    for (std::size_t i = 0; i <= kLongest; ++i)
      for (std::size_t j = 0; j <= kLongest; ++j) {
        Sha256 a(path), b(path);
        Sha256::update_pair(a, of_a.first(i), b, of_b.first(j));
        ASSERT_EQ(a.finish(), digests_a[i]) << i << " beside " << j;
        ASSERT_EQ(b.finish(), digests_b[j]) << j << " beside " << i;
      }
}

// Pieces of their own lengths, pairs and single updates mixed.
TEST(Sha256, PairsAgreeForAnySplit) {
  const std::vector<std::byte> bytes = random_bytes(6000);
  std::mt19937 random(12);
  for (Sha256Path path : available_paths())
    for (int round = 0; round < 200; ++round) {
      const std::span<const std::byte> whole_a(bytes.data(), random() % 3000);
      const std::span<const std::byte> whole_b(&bytes[3000], random() % 3000);
      std::span<const std::byte> a = whole_a, b = whole_b;
      Sha256 hash_a(path), hash_b(path);
      while (!a.empty() || !b.empty()) {
        const auto of_a = a.first(std::min<std::size_t>(a.size(), random() % 400));
        const auto of_b = b.first(std::min<std::size_t>(b.size(), random() % 400));
        if (random() % 4 == 0) {
          hash_a.update(of_a);
          hash_b.update(of_b);
        } else {
          Sha256::update_pair(hash_a, of_a, hash_b, of_b);
        }
        a = a.subspan(of_a.size());
        b = b.subspan(of_b.size());
      }
      EXPECT_EQ(hash_a.finish(), portable(whole_a));
      EXPECT_EQ(hash_b.finish(), portable(whole_b));
    }
}

}  // namespace
}  // namespace skiff::platform
