#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "platform/sha256.h"

namespace skiff::model {

/// The fixed start of a .skiff file; layout in schema/README.md.
struct Header {
  std::uint64_t metadata_offset = 0;  ///< of the FlatBuffer
  std::uint64_t metadata_size = 0;
  std::uint64_t data_offset = 0;  ///< of the data segment
  std::uint64_t data_size = 0;
  std::uint64_t file_size = 0;
  platform::Sha256Digest digest{};  ///< over the header, digest zero, then the FlatBuffer
};

inline constexpr std::size_t kHeaderSize = 128;
inline constexpr std::uint16_t kHeaderVersion = 1;
inline constexpr std::uint64_t kDataSegmentAlignment = 4096;
inline constexpr std::uint64_t kBufferAlignment = 256;
/// FlatBuffers' own limit, with room to spare; tested before anything is read of them.
inline constexpr std::uint64_t kMaxMetadataBytes = std::uint64_t{1} << 30;

using HeaderBytes = std::array<std::byte, kHeaderSize>;

/// The header as it stands in a file. `with_digest` false leaves the digest's field zero.
HeaderBytes encode_header(const Header& header, bool with_digest = true) noexcept;

/// Reads and checks a header against the real size of the file: magic, version, sizes, order and
/// alignment of the parts. Throws Error{invalid_model}, Error{unsupported} for a newer header.
Header decode_header(std::span<const std::byte> bytes, std::uint64_t file_size);

/// The digest a header must carry for this FlatBuffer.
platform::Sha256Digest metadata_digest(const Header& header,
                                       std::span<const std::byte> metadata) noexcept;

}  // namespace skiff::model
