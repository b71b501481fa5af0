// libFuzzer entry: any bytes give a model that binds and runs, or a typed error.
#include <skiff/skiff.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  run(bytes, false);
  run(bytes, true);
  return 0;
}
