#pragma once

#include <span>
#include <string_view>

namespace skiff::platform {

/// Reads a small text of the kernel (/proc, /sys) into `buffer` without allocating; returns what
/// was read, without trailing NULs and line ends, or an empty view where there is no such file.
/// `root` is a folder put before `path` ("" for the machine itself), so that tests can show another
/// machine.
std::string_view read_small_file(const char* root, const char* path,
                                 std::span<char> buffer) noexcept;

}  // namespace skiff::platform
