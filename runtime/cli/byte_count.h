#pragma once

#include <cstdint>
#include <string>

namespace skiff::cli {

/// "600M" (K, M, G: powers of 1024) as bytes; 0 for an empty text. Throws
/// Error{invalid_argument}.
std::uint64_t parse_bytes(const std::string& text);

/// 12.3 KiB and the like.
std::string size_text(std::uint64_t bytes);

}  // namespace skiff::cli
