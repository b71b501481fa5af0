#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <cstring>

#include "tests/cuda/emulation/block.h"

// The host's counterpart of runtime/cuda/portable/skiff_device/ptx.h, by the PTX manual.
namespace skiff::cuda {

/// The bytes arrive when they are waited for; until then there are NaNs, or bytes 255.
template <int kBytes = 16>
void copy_async(void* shared, const void* global, bool inside) {
  cuda_emulation::block().copy_later(shared, global, kBytes, inside);
}
inline void end_copy_group() { cuda_emulation::block().end_copy_group(); }
template <int kLeft>
void wait_copy_groups() {
  cuda_emulation::block().wait_copy_groups(kLeft);
}

inline void load_matrices(unsigned (&matrices)[4], const void* row) {
  cuda_emulation::Block& block = cuda_emulation::block();
  const unsigned lane = block.current->lane;
  const auto address = reinterpret_cast<std::uintptr_t>(row);
  if (address % 16 != 0) block.blame("ldmatrix: a row is not aligned to 16 bytes");
  const auto& rows = block.gather(&address, sizeof address, "ldmatrix");
  for (unsigned m = 0; m < 4; ++m) {
    std::uintptr_t from = 0;
    std::memcpy(&from, rows[8 * m + lane / 4], sizeof from);
    std::memcpy(&matrices[m], reinterpret_cast<const char*>(from) + 4 * (lane % 4),
                sizeof(unsigned));
  }
}

namespace emulated {

struct Fragments {
  unsigned a[4], b[2];
};

/// Number `place` of those that lie in a register.
template <typename T, typename Sum>
Sum number_in(unsigned numbers, unsigned place) {
  T value;
  std::memcpy(static_cast<void*>(&value),
              reinterpret_cast<const char*>(&numbers) + place * sizeof(T), sizeof value);
  return static_cast<Sum>(value);
}

/// A and B: the types of a and b.
template <typename A, typename B, typename Sum>
void multiply_add(Sum (&d)[4], const Fragments& own) {
  constexpr unsigned kNumbers = sizeof(unsigned) / sizeof(A), kDepth = 8 * kNumbers;
  cuda_emulation::Block& block = cuda_emulation::block();
  const unsigned lane = block.current->lane;
  const auto& given = block.gather(&own, sizeof own, "mma");
  // The two rows of a and columns of b that this lane's four results are made of.
  Sum a[2][kDepth], b[2][kDepth];
  for (unsigned pair = 0; pair < 4; ++pair) {
    Fragments of_row, of_columns[2];
    std::memcpy(&of_row, given[lane / 4 * 4 + pair], sizeof of_row);
    for (unsigned n = 0; n < 2; ++n)
      std::memcpy(&of_columns[n], given[(lane % 4 * 2 + n) * 4 + pair], sizeof of_columns[n]);
    for (unsigned upper = 0; upper < 2; ++upper)
      for (unsigned place = 0; place < kNumbers; ++place) {
        const unsigned k = (4 * upper + pair) * kNumbers + place;
        for (unsigned n = 0; n < 2; ++n) {
          a[n][k] = number_in<A, Sum>(of_row.a[upper * 2 + n], place);
          b[n][k] = number_in<B, Sum>(of_columns[n].b[upper], place);
        }
      }
  }
  for (unsigned i = 0; i < 4; ++i) {
    Sum sum = 0;
    for (unsigned k = 0; k < kDepth; ++k) sum += a[i / 2][k] * b[i % 2][k];
    d[i] += sum;
  }
}

}  // namespace emulated

template <typename T>
void multiply_add(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, T) {
  emulated::multiply_add<T, T>(d, {{a[0], a[1], a[2], a[3]}, {b0, b1}});
}
template <typename T>
void multiply_add(int (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, T) {
  emulated::multiply_add<T, std::int8_t>(d, {{a[0], a[1], a[2], a[3]}, {b0, b1}});
}

}  // namespace skiff::cuda
