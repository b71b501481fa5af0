#pragma once

#include <string>

#include "platform/whole_file.h"
#include "runtime/core/error.h"

namespace skiff::convert {

/// All of a file that a flag names. Throws Error{not_found, io} naming both.
inline std::string read_text_file(const std::string& path, const char* flag) {
  try {
    return platform::read_whole<std::string>(platform::File(path.c_str()));
  } catch (const Error& error) {
    fail(error.code(), flag, ": ", error.what());
  }
}

}  // namespace skiff::convert
