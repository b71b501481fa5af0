#pragma once

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/folders.h"

namespace skiff::test {

/// The folder of third-party models and golden outputs: SKIFF_DATA, or `shared` beside the
/// checkout. Users do not have it: tests skip with a reason where something in it is missing.
inline std::filesystem::path shared_data() {
  const char* given = std::getenv("SKIFF_DATA");
  return given != nullptr ? std::filesystem::path(given)
                          : std::filesystem::path(source_folder()) / ".." / "shared";
}

/// The golden files whose names begin so, in order; none where they or the model (beneath models/)
/// are missing.
inline std::vector<std::filesystem::path> golden_files(const std::string& model,
                                                       const std::string& begin) {
  std::vector<std::filesystem::path> files;
  const auto models = shared_data() / "models", folder = models / "golden";
  if (!std::filesystem::is_directory(folder) || !std::filesystem::exists(models / model))
    return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(begin)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// A file's name as a name that GoogleTest takes for a parameter.
inline std::string test_label(std::string name) {
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

}  // namespace skiff::test
