#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <cstring>

#include "tests/cuda/emulation/block.h"

// The host's counterpart of runtime/cuda/portable/skiff_device/ptx.h, by the PTX manual.
namespace skiff::cuda {

/// The bytes arrive when they are waited for; until then there are NaNs.
inline void copy_async(void* shared, const void* global, bool inside) {
  cuda_emulation::block().copy_later(shared, global, inside);
}
inline void end_copy_group() { cuda_emulation::block().end_copy_group(); }
template <int kLeft>
void wait_copy_groups() {
  cuda_emulation::block().wait_copy_groups(kLeft);
}

inline int multiply_add_bytes(int a, int b, int sum) {
  for (unsigned shift = 0; shift < 32; shift += 8)
    sum += static_cast<std::int8_t>(a >> shift) * static_cast<std::int8_t>(b >> shift);
  return sum;
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

/// Number `half` (0 or 1) of two that lie in a register.
template <typename T>
float number_in(unsigned two, unsigned half) {
  const auto bits = static_cast<std::uint16_t>(two >> (16 * half));
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof value);
  return static_cast<float>(value);
}

template <typename T>
void multiply_add(float (&d)[4], const Fragments& own) {
  cuda_emulation::Block& block = cuda_emulation::block();
  const unsigned lane = block.current->lane;
  const auto& given = block.gather(&own, sizeof own, "mma.m16n8k16");
  // The two rows of a and columns of b that this lane's four results are made of.
  float a[2][16], b[2][16];
  for (unsigned pair = 0; pair < 4; ++pair) {
    Fragments of_row, of_columns[2];
    std::memcpy(&of_row, given[lane / 4 * 4 + pair], sizeof of_row);
    for (unsigned n = 0; n < 2; ++n)
      std::memcpy(&of_columns[n], given[(lane % 4 * 2 + n) * 4 + pair], sizeof of_columns[n]);
    for (unsigned upper = 0; upper < 2; ++upper)
      for (unsigned odd = 0; odd < 2; ++odd) {
        const unsigned k = 8 * upper + 2 * pair + odd;
        for (unsigned n = 0; n < 2; ++n) {
          a[n][k] = number_in<T>(of_row.a[upper * 2 + n], odd);
          b[n][k] = number_in<T>(of_columns[n].b[upper], odd);
        }
      }
  }
  for (unsigned i = 0; i < 4; ++i) {
    float sum = 0;
    for (unsigned k = 0; k < 16; ++k) sum += a[i / 2][k] * b[i % 2][k];
    d[i] += sum;
  }
}

}  // namespace emulated

template <typename T>
void multiply_add(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, T) {
  emulated::multiply_add<T>(d, {{a[0], a[1], a[2], a[3]}, {b0, b1}});
}

}  // namespace skiff::cuda
