#include "platform/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <skiff/error.h>

#include "tests/platform/temporary_folder.h"

namespace skiff::platform {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

std::string read_all(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

ErrorCode code_of_opening(const std::string& path, std::string* message) {
  try {
    File file(path.c_str());
  } catch (const Error& error) {
    *message = error.what();
    return error.code();
  }
  return ErrorCode::ok;
}

TEST(File, ReadsByPosition) {
  TemporaryFolder folder;
  const std::string path = folder.write("a.bin", "0123456789");
  const File file(path.c_str());
  EXPECT_EQ(file.size(), 10u);
  char got[4];
  file.read_at(3, std::as_writable_bytes(std::span(got)));
  EXPECT_EQ(std::string(got, 4), "3456");
  file.read_at(10, {});
}

TEST(File, SaysWhereATooShortFileEnds) {
  TemporaryFolder folder;
  const std::string path = folder.write("short.bin", "0123456789");
  const File file(path.c_str());
  std::vector<std::byte> got(8);
  try {
    file.read_at(5, got);
    FAIL() << "read past the end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_NE(std::string(error.what()).find("short.bin' ends at byte 10, 3 more"),
              std::string::npos)
        << error.what();
  }
  EXPECT_THROW(file.read_at(~std::uint64_t{0}, got), Error);
}

TEST(File, RefusesWhatIsNoRegularFile) {
  TemporaryFolder folder;
  std::string message;
  EXPECT_EQ(code_of_opening(folder.path("missing"), &message), ErrorCode::not_found);
  EXPECT_NE(message.find("missing"), std::string::npos);
  EXPECT_EQ(code_of_opening(folder.path(""), &message), ErrorCode::io);
  EXPECT_NE(message.find("folder"), std::string::npos);
  ASSERT_EQ(mkfifo(folder.path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(code_of_opening(folder.path("pipe"), &message), ErrorCode::io);
  if (geteuid() != 0) {
    const std::string secret = folder.write("secret", "x");
    chmod(secret.c_str(), 0);
    EXPECT_EQ(code_of_opening(secret, &message), ErrorCode::io);
    EXPECT_NE(message.find("ermission"), std::string::npos) << message;
  }
}

TEST(File, MovesItsDescriptor) {
  TemporaryFolder folder;
  File first(folder.write("one", "1").c_str());
  File second(folder.write("two", "22").c_str());
  first = std::move(second);
  EXPECT_EQ(first.size(), 2u);
}

TEST(AtomicFileWriter, ReplacesAndKeepsPermissions) {
  TemporaryFolder folder;
  const std::string path = folder.write("model", "old");
  chmod(path.c_str(), 0640);
  const std::string first = "new ", second = "bytes";
  const std::span<const std::byte> pieces[] = {bytes_of(first), {}, bytes_of(second)};
  write_file_atomically(path, pieces);
  EXPECT_EQ(read_all(path), "new bytes");
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(AtomicFileWriter, LeavesTheOldFileWithoutCommit) {
  TemporaryFolder folder;
  const std::string path = folder.write("model", "old");
  {
    AtomicFileWriter writer(path);
    const std::string text = "half";
    writer.write(bytes_of(text));
    EXPECT_EQ(folder.entries(), 2u);
  }
  EXPECT_EQ(read_all(path), "old");
  EXPECT_EQ(folder.entries(), 1u);
}

// A limit on file sizes stands in for a full disk: write() fails half-way in the same manner.
TEST(AtomicFileWriter, FullDiskLeavesTheOldFile) {
  TemporaryFolder folder;
  const std::string path = folder.write("model", "old");
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  rlimit tiny = before;
  tiny.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tiny), 0);
  const std::string large(10'000, 'x');
  const std::span<const std::byte> pieces[] = {bytes_of(large)};
  ErrorCode code = ErrorCode::ok;
  try {
    write_file_atomically(path, pieces);
  } catch (const Error& error) {
    code = error.code();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(code, ErrorCode::io);
  EXPECT_EQ(read_all(path), "old");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(AtomicFileWriter, RefusesFoldersDevicesAndMissingFolders) {
  TemporaryFolder folder;
  EXPECT_THROW(AtomicFileWriter(folder.path("")), Error);
  EXPECT_THROW(AtomicFileWriter("/dev/null"), Error);
  try {
    AtomicFileWriter(folder.path("no/such/folder"));
    ADD_FAILURE() << "it is there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io) << error.what();
  }
}

}  // namespace
}  // namespace skiff::platform
