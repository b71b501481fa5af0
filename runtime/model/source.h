#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "platform/file.h"

namespace skiff::model {

/// The bytes of a model: a file that is read by position, or memory the caller keeps alive and
/// unchanged.
class Source {
 public:
  explicit Source(platform::File file) noexcept : file_(std::move(file)) {}
  explicit Source(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  std::uint64_t size() const noexcept { return file_ ? file_->size() : bytes_.size(); }
  /// All of it will be read soon, in any order.
  void will_read() const noexcept {
    if (file_) file_->will_read();
  }
  /// Fills `out` from `offset`; Error{io} when the bytes are not there.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::optional<platform::File> file_;
  std::span<const std::byte> bytes_;
};

}  // namespace skiff::model
