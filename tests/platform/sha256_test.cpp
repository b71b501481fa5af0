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

}  // namespace
}  // namespace skiff::platform
