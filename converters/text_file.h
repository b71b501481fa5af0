#pragma once

#include <string>

#include "platform/file.h"
#include "runtime/core/error.h"

namespace skiff::convert {

/// All of a file that a flag names. Throws Error{not_found, io} naming both.
inline std::string read_text_file(const std::string& path, const char* flag) {
  try {
    const platform::File file(path.c_str());
    std::string text(file.size(), '\0');
    file.read_at(0, std::as_writable_bytes(std::span(text)));
    return text;
  } catch (const Error& error) {
    fail(error.code(), flag, ": ", error.what());
  }
}

}  // namespace skiff::convert
