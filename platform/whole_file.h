#pragma once

#include <cstddef>
#include <vector>

#include "platform/file.h"

namespace skiff::platform {

/// All bytes of a file; throws what File::read_at() does.
inline std::vector<std::byte> read_whole(const File& file) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.size()));
  file.read_at(0, bytes);
  return bytes;
}

}  // namespace skiff::platform
