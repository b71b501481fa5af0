#pragma once

#include <cstdlib>
#include <filesystem>

namespace skiff::test {

/// The folder of third-party models and golden outputs: SKIFF_DATA, or `shared` beside the
/// checkout. Users do not have it: tests skip with a reason where something in it is missing.
inline std::filesystem::path shared_data() {
  const char* given = std::getenv("SKIFF_DATA");
  return given != nullptr ? std::filesystem::path(given)
                          : std::filesystem::path(SKIFF_SOURCE_DIR) / ".." / "shared";
}

}  // namespace skiff::test
