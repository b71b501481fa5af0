#include "platform/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <system_error>
#include <utility>

#include <skiff/error.h>

namespace skiff::platform {
namespace {

[[noreturn]] void fail(ErrorCode code, const std::string& what) { throw Error(code, what); }

[[noreturn]] void fail_errno(const char* action, const std::string& path, int error,
                             ErrorCode code = ErrorCode::io) {
  fail(code, std::string("cannot ") + action + " '" + path +
                 "': " + std::generic_category().message(error));
}

// Only for messages: a File does not keep its path.
std::string path_of(int descriptor) {
  char link[64];
  char path[1024];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, path, sizeof(path));
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "the file";
}

int open_retrying(const char* path, int flags, mode_t mode = 0) {
  int descriptor;
  do {
    descriptor = ::open(path, flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

File::File(const char* path) {
  // O_NONBLOCK: opening a pipe must not wait for its writer. Regular files ignore it.
  descriptor_ = open_retrying(path, O_RDONLY | O_NONBLOCK);
  if (descriptor_ < 0) {
    const int error = errno;
    fail_errno("open", path, error, error == ENOENT ? ErrorCode::not_found : ErrorCode::io);
  }
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    ::close(descriptor_);
    fail_errno("stat", path, error);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail(ErrorCode::io, std::string("cannot read '") + path + "': it is " +
                            (S_ISDIR(status.st_mode) ? "a folder" : "not a regular file"));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(std::exchange(other.size_, 0)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

void File::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  if (offset > largest || out.size() > largest - offset)
    fail(ErrorCode::io, "offset too large for '" + path_of(descriptor_) + "'");
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("read", path_of(descriptor_), errno);
    if (got == 0)
      fail(ErrorCode::io, "'" + path_of(descriptor_) + "' ends at byte " + std::to_string(offset) +
                              ", " + std::to_string(out.size()) + " more were expected");
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void File::will_read() const noexcept { ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_WILLNEED); }

AtomicFileWriter::AtomicFileWriter(std::string path) : path_(std::move(path)) {
  struct stat old;
  const bool exists = ::stat(path_.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode))
    fail(ErrorCode::io, "cannot write '" + path_ + "': it is not a regular file");
  static std::atomic<unsigned> counter{0};
  do {
    temporary_ = path_ + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    descriptor_ = open_retrying(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail_errno("create", path_, errno);
  // The new file keeps the old one's permissions; where that is not allowed its own will do.
  if (exists && ::fchmod(descriptor_, old.st_mode & 0777) != 0) errno = 0;
}

AtomicFileWriter::~AtomicFileWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFileWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_errno("write", path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void AtomicFileWriter::commit() {
  if (::fsync(descriptor_) != 0) fail_errno("write", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("replace", path_, errno);
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0 && errno != EINTR) fail_errno("write", path_, errno);
  // Makes the new name itself durable; a file system that cannot do that has done its best.
  const int folder = open_retrying(parent_of(path_).c_str(), O_RDONLY | O_DIRECTORY);
  if (folder < 0) return;
  if (::fsync(folder) != 0) errno = 0;
  ::close(folder);
}

void write_file_atomically(const std::string& path,
                           std::span<const std::span<const std::byte>> pieces) {
  AtomicFileWriter writer(path);
  for (std::span<const std::byte> piece : pieces) writer.write(piece);
  writer.commit();
}

}  // namespace skiff::platform
