#include "platform/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>

namespace skiff::platform {

std::string_view read_small_file(const char* root, const char* path,
                                 std::span<char> buffer) noexcept {
  char full[PATH_MAX];
  const int length = std::snprintf(full, sizeof(full), "%s%s", root, path);
  if (length < 0 || length >= static_cast<int>(sizeof(full))) return {};
  const int descriptor = ::open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return {};
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::read(descriptor, buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  ::close(descriptor);
  while (used > 0 && (buffer[used - 1] == '\0' || buffer[used - 1] == '\n')) --used;
  return {buffer.data(), used};
}

}  // namespace skiff::platform
