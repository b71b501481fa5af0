#include <gtest/gtest.h>

#include <cstring>

#include "runtime/core/error.h"
#include "runtime/model/container.h"

// The fixed start of a file: what is written is read, everything else is refused by type.
namespace skiff::model {
namespace {

constexpr std::uint64_t kFileSize = 4096 + 1000;

Header sample() {
  Header header;
  header.metadata_offset = kHeaderSize;
  header.metadata_size = 500;
  header.data_offset = 4096;
  header.data_size = 1000;
  header.file_size = kFileSize;
  header.digest.fill(static_cast<platform::Sha256Digest::value_type>(7));
  return header;
}

/// ok when the header with `count` bytes at `at` replaced is accepted.
ErrorCode code_with(std::size_t at, std::uint64_t number, std::size_t count,
                    std::uint64_t file_size = kFileSize) {
  HeaderBytes bytes = encode_header(sample());
  std::memcpy(bytes.data() + at, &number, count);
  try {
    decode_header(bytes, file_size);
    return ErrorCode::ok;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(Header, LiesAsTheFormatSays) {
  const HeaderBytes bytes = encode_header(sample());
  const unsigned char start[16] = {0x89, 'S', 'K', 'F', '\r', '\n', 0x1a, '\n', 1, 0, 128, 0};
  EXPECT_EQ(std::memcmp(bytes.data(), start, sizeof start), 0);
  const std::uint64_t fields[5] = {128, 500, 4096, 1000, kFileSize};
  EXPECT_EQ(std::memcmp(bytes.data() + 16, fields, sizeof fields), 0);
  for (std::size_t i = 56; i < 88; ++i) EXPECT_EQ(bytes[i], std::byte{7});
  for (std::size_t i = 88; i < 128; ++i) EXPECT_EQ(bytes[i], std::byte{0});
}

TEST(Header, ReadsBackWhatWasWritten) {
  const Header read = decode_header(encode_header(sample()), kFileSize);
  EXPECT_EQ(encode_header(read), encode_header(sample()));
}

TEST(Header, RefusesWrongFields) {
  constexpr auto bad = ErrorCode::invalid_model, newer = ErrorCode::unsupported;
  EXPECT_EQ(code_with(0, 0x89, 1), ErrorCode::ok);
  EXPECT_EQ(code_with(0, 0, 1), bad);
  EXPECT_EQ(code_with(7, '\r', 1), bad);
  EXPECT_EQ(code_with(8, 2, 2), newer);
  EXPECT_EQ(code_with(10, 64, 2), bad);
  EXPECT_EQ(code_with(12, 1, 4), newer);
  EXPECT_EQ(code_with(127, 1, 1), bad);
}

TEST(Header, RefusesSizesThatDoNotFit) {
  constexpr auto bad = ErrorCode::invalid_model;
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  for (const std::size_t field : {16u, 24u, 32u, 40u, 48u})
    for (const std::uint64_t number :
         {std::uint64_t{0}, std::uint64_t{1}, kHuge, kHuge / 2 + 1, kHuge - 127, kHuge - 4095})
      EXPECT_EQ(code_with(field, number, 8), bad) << field << " " << number;
  EXPECT_EQ(code_with(24, 7, 8), bad) << "too small for a FlatBuffer";
  EXPECT_EQ(code_with(24, 4096 - 128 + 1, 8), bad) << "metadata reaches into the data";
  EXPECT_EQ(code_with(48, kFileSize, 8, kFileSize - 1), bad) << "cut short";
}

TEST(Header, RefusesFilesShorterThanItself) {
  const HeaderBytes bytes = encode_header(sample());
  for (std::size_t size = 0; size < kHeaderSize; ++size)
    EXPECT_THROW(decode_header(std::span(bytes).first(size), size), Error);
}

TEST(Header, DigestCoversEveryField) {
  const std::byte metadata[16] = {};
  const auto digest = metadata_digest(sample(), metadata);
  Header other = sample();
  other.digest.fill(static_cast<platform::Sha256Digest::value_type>(1));
  EXPECT_EQ(metadata_digest(other, metadata), digest) << "its own field counts as zero";
  other.data_size += 1;
  EXPECT_NE(metadata_digest(other, metadata), digest);
  EXPECT_NE(metadata_digest(sample(), std::span(metadata).first(15)), digest);
}

}  // namespace
}  // namespace skiff::model
