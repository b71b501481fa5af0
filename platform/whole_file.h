#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "platform/file.h"

namespace skiff::platform {

/// All bytes of a file, as a string where one is asked for; throws what File::read_at() does.
template <typename Bytes = std::vector<std::byte>>
Bytes read_whole(const File& file) {
  Bytes bytes(static_cast<std::size_t>(file.size()), typename Bytes::value_type{});
  file.read_at(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

}  // namespace skiff::platform
