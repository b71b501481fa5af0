#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

namespace skiff::platform {

/// An empty folder that disappears with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() : root_(std::filesystem::temp_directory_path() / "skiff-test-XXXXXX") {
    if (mkdtemp(root_.data()) == nullptr) throw std::runtime_error("mkdtemp " + root_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(std::string_view name) const { return root_ + "/" + std::string(name); }
  const char* root() const { return root_.c_str(); }

  /// Makes a file, and the folders above it; returns its path.
  std::string write(std::string_view name, std::string_view content) const {
    const std::filesystem::path file(path(name));
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(root_), {}));
  }

 private:
  std::string root_;
};

}  // namespace skiff::platform
