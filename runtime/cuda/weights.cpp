#include "runtime/cuda/weights.h"

#include "runtime/ops/convert.h"

namespace skiff::cuda {

std::size_t read_scratch(DType from, DType to, std::int64_t count) noexcept {
  return from == to ? 0 : static_cast<std::size_t>(count) * size_of(from);
}

void read_weights(Reader& reader, DType from, DType to, std::span<std::byte> out,
                  std::span<std::byte> scratch) {
  if (from == to) return reader.read(out);
  const std::size_t count = out.size() / size_of(to);
  reader.read(scratch.first(count * size_of(from)));
  find_convert({}, from, to)(scratch.data(), out.data(), static_cast<std::int64_t>(count));
}

}  // namespace skiff::cuda
