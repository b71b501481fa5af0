// libFuzzer entry: any bytes give a model that binds and runs, or a typed error.
#include <skiff/skiff.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace {

constexpr std::uint64_t kLimit = std::uint64_t{16} << 20;

void run(std::span<const std::byte> bytes, bool digests) {
  try {
    const auto model =
        skiff::Model::from_bytes(bytes, {.digests = digests, .memory_limit = kLimit});
    skiff::Session session(model, {.threads = 1, .memory_limit = kLimit});
    if (session.run().code() == skiff::ErrorCode::internal) std::abort();
  } catch (const skiff::Error& error) {
    if (error.code() == skiff::ErrorCode::internal) std::abort();
  }
}

/// With the header's sizes made right, so that inputs of every length get past it.
std::vector<std::byte> with_right_sizes(std::span<const std::byte> bytes) {
  std::vector<std::byte> file(bytes.begin(), bytes.end());
  constexpr std::size_t kDataOffset = 32, kDataSize = 40, kEnd = 56;  // schema/README.md
  if (file.size() < kEnd) return file;
  std::uint64_t sizes[2] = {0, file.size()};  // of the data segment, of the file
  std::memcpy(&sizes[0], file.data() + kDataOffset, sizeof sizes[0]);
  sizes[0] = file.size() - sizes[0];
  std::memcpy(file.data() + kDataSize, sizes, sizeof sizes);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  run(with_right_sizes(bytes), false);
  run(bytes, true);
  return 0;
}
