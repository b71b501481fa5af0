#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace skiff::platform {

/// A regular file opened for reading by position. Allocates nothing: messages ask the system for
/// the path only when something failed. Safe to read from several threads at once.
class File {
 public:
  /// Throws Error{not_found} for a missing file and Error{io} for one that cannot be read or is
  /// not a regular file (a folder, a pipe).
  explicit File(const char* path);
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  /// Bytes the file held when it was opened.
  std::uint64_t size() const noexcept { return size_; }

  /// Fills all of `out` from `offset` on; throws Error{io} naming the file when that many bytes
  /// are not there or the disk fails.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

  /// Asks the system to fetch all of it ahead; a wish, which it may refuse.
  void will_read() const noexcept;

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Writes a file beside its final place and moves it there in commit(): readers see the old bytes
/// or the new ones, never a part, whatever happens in between (full disk, kill, power loss).
class AtomicFileWriter {
 public:
  /// Throws Error{io}: the folder is missing or not writable, `path` is a folder or a device.
  explicit AtomicFileWriter(std::string path);
  ~AtomicFileWriter();  ///< without commit() the old file stays and the new bytes are removed
  AtomicFileWriter(const AtomicFileWriter&) = delete;
  AtomicFileWriter& operator=(const AtomicFileWriter&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Flushes to the disk and moves the file into place.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

/// The pieces, one after another, as the new content of `path`.
void write_file_atomically(const std::string& path,
                           std::span<const std::span<const std::byte>> pieces);

}  // namespace skiff::platform
