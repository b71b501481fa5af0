#include "runtime/cuda/kernel.h"

#include "runtime/core/error.h"

namespace skiff::cuda {

void Reader::read(std::span<std::byte> to) {
  const std::int32_t code = reader_.read(reader_.context, to.data(), to.size());
  require(code == 0, static_cast<ErrorCode>(code), "a constant could not be read");
}

}  // namespace skiff::cuda
