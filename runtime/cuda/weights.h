#pragma once

#include "runtime/cuda/kernel.h"

namespace skiff::cuda {

/// Reads a constant stored as `from` into dense numbers of type `to`.
void read_weights(Reader& reader, DType from, DType to, std::span<std::byte> out,
                  std::span<std::byte> scratch);
/// Scratch that takes.
std::size_t read_scratch(DType from, DType to, std::int64_t count) noexcept;

}  // namespace skiff::cuda
