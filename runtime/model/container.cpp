#include "runtime/model/container.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/error.h"

namespace skiff::model {
namespace {

constexpr std::array<unsigned char, 8> kMagic = {0x89, 'S', 'K', 'F', '\r', '\n', 0x1a, '\n'};

// Offsets of the fields.
enum : std::size_t {
  kVersion = 8,
  kSize = 10,
  kFlags = 12,
  kMetadataOffset = 16,
  kMetadataSize = 24,
  kDataOffset = 32,
  kDataSize = 40,
  kFileSize = 48,
  kDigest = 56,
  kReserved = 88
};

template <typename T>
void put(HeaderBytes& bytes, std::size_t at, T number) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes[at + i] = static_cast<std::byte>(static_cast<std::uint64_t>(number) >> (8 * i));
}

template <typename T>
T get(std::span<const std::byte> bytes, std::size_t at) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    number |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
  return static_cast<T>(number);
}

void check_parts(const Header& h, std::uint64_t file_size) {
  constexpr auto bad = ErrorCode::invalid_model;
  require(h.file_size == file_size, bad, "the file has ", file_size, " bytes, its header says ",
          h.file_size, ": it was cut short or damaged");
  require(h.metadata_offset == kHeaderSize, bad, "header: metadata offset is ", h.metadata_offset,
          ", must be ", kHeaderSize);
  require(h.metadata_size >= 8 && h.metadata_size <= kMaxMetadataBytes &&
              h.metadata_size <= file_size - kHeaderSize,
          bad, "header: metadata size ", h.metadata_size, " does not fit the file");
  require(h.data_offset >= h.metadata_offset + h.metadata_size && h.data_offset <= file_size, bad,
          "header: data offset ", h.data_offset, " does not fit the file");
  require(h.data_offset % kDataSegmentAlignment == 0, bad, "header: data offset ", h.data_offset,
          " is no multiple of ", kDataSegmentAlignment);
  require(h.data_size == file_size - h.data_offset, bad, "header: data size ", h.data_size,
          " does not end the file");
}

}  // namespace

HeaderBytes encode_header(const Header& h, bool with_digest) noexcept {
  HeaderBytes bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  put(bytes, kVersion, kHeaderVersion);
  put(bytes, kSize, static_cast<std::uint16_t>(kHeaderSize));
  put(bytes, kMetadataOffset, h.metadata_offset);
  put(bytes, kMetadataSize, h.metadata_size);
  put(bytes, kDataOffset, h.data_offset);
  put(bytes, kDataSize, h.data_size);
  put(bytes, kFileSize, h.file_size);
  if (with_digest) std::copy(h.digest.begin(), h.digest.end(), bytes.begin() + kDigest);
  return bytes;
}

Header decode_header(std::span<const std::byte> bytes, std::uint64_t file_size) {
  constexpr auto bad = ErrorCode::invalid_model;
  require(bytes.size() >= kHeaderSize, bad, "the file has ", bytes.size(),
          " bytes, too few for a .skiff header");
  require(std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0, bad,
          "this is no .skiff file (wrong magic); convert the model with skiff-convert");
  const auto version = get<std::uint16_t>(bytes, kVersion);
  require(version == kHeaderVersion, ErrorCode::unsupported, "header version ", version,
          ", this Skiff reads ", kHeaderVersion);
  require(get<std::uint16_t>(bytes, kSize) == kHeaderSize, bad, "header: wrong header size");
  require(get<std::uint32_t>(bytes, kFlags) == 0, ErrorCode::unsupported,
          "header: unknown flags are set; a newer Skiff wrote this file");
  require(std::all_of(bytes.begin() + kReserved, bytes.begin() + kHeaderSize,
                      [](std::byte b) { return b == std::byte{0}; }),
          bad, "header: reserved bytes are not zero");
  Header header;
  header.metadata_offset = get<std::uint64_t>(bytes, kMetadataOffset);
  header.metadata_size = get<std::uint64_t>(bytes, kMetadataSize);
  header.data_offset = get<std::uint64_t>(bytes, kDataOffset);
  header.data_size = get<std::uint64_t>(bytes, kDataSize);
  header.file_size = get<std::uint64_t>(bytes, kFileSize);
  std::copy_n(bytes.begin() + kDigest, header.digest.size(), header.digest.begin());
  check_parts(header, file_size);
  return header;
}

platform::Sha256Digest metadata_digest(const Header& header,
                                       std::span<const std::byte> metadata) noexcept {
  platform::Sha256 sha;
  sha.update(encode_header(header, false));
  sha.update(metadata);
  return sha.finish();
}

}  // namespace skiff::model
