#pragma once

#include <cuda_runtime.h>
#include <math.h>

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include "tests/cuda/double/control.h"

// What the run-time compiler's double puts before a source: CUDA's words for the host, and how the
// double of the driver finds and runs a kernel. Without barriers a block's threads run one by one.
// Unnamed: kernels of one name in several libraries are different ones.
namespace {
namespace cuda_double {

struct Index {
  unsigned x, y, z;
};
Index thread, block, extent;

template <auto kFunction>
struct Entry;

template <typename... Parameters, void (*kFunction)(Parameters...)>
struct Entry<kFunction> {
  template <std::size_t... I>
  static void call(void** arguments, std::index_sequence<I...>) {
    kFunction(*static_cast<std::remove_reference_t<Parameters>*>(arguments[I])...);
  }
  static int run(cuda_double_dim grid, cuda_double_dim threads, void** arguments, char*,
                 std::size_t) {
    extent = {threads.x, threads.y, threads.z};
    for (block.x = 0; block.x < grid.x; ++block.x)
      for (thread.x = 0; thread.x < threads.x; ++thread.x)
        call(arguments, std::index_sequence_for<Parameters...>{});
    return 0;
  }
  static constexpr std::size_t sizes[] = {sizeof(Parameters)..., 0};
  static constexpr int count = static_cast<int>(sizeof...(Parameters));
};

}  // namespace cuda_double
}  // namespace

inline float __fmul_rn(float a, float b) { return a * b; }

#define threadIdx (::cuda_double::thread)
#define blockIdx (::cuda_double::block)
#define blockDim (::cuda_double::extent)

#define CUDA_DOUBLE_ENTRY(name)                                                                   \
  extern "C" const cuda_double_kernel cuda_double_entry_##name = {                                \
      #name, reinterpret_cast<const void*>(&skiff::cuda::name),                                   \
      cuda_double::Entry<skiff::cuda::name>::count, cuda_double::Entry<skiff::cuda::name>::sizes, \
      cuda_double::Entry<skiff::cuda::name>::run};
