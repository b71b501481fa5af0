#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <type_traits>
#include <utility>

#include "tests/cuda/emulation/block.h"

// The host's counterpart of runtime/cuda/portable/skiff_device/launch.h: the same interface, and
// every kernel that is launched anywhere becomes known to the double.
namespace skiff::cuda {

template <auto kFunction>
struct Launch;

template <typename... Parameters, void (*kFunction)(Parameters...)>
struct Launch<kFunction> {
  static cudaError_t run(dim3 grid, dim3 block, cudaStream_t stream, Parameters... parameters) {
    void* arguments[] = {static_cast<void*>(&parameters)..., nullptr};
    return cudaLaunchKernel(address(), grid, block, arguments, 0, stream);
  }
  static const void* address() {
    static_cast<void>(&registered);
    return reinterpret_cast<const void*>(kFunction);
  }

 private:
  template <std::size_t... I>
  static void call(void** arguments, std::index_sequence<I...>) {
    kFunction(*static_cast<std::remove_reference_t<Parameters>*>(arguments[I])...);
  }
  static void body(void** arguments) { call(arguments, std::index_sequence_for<Parameters...>{}); }
  static int run_grid(cuda_double_dim grid, cuda_double_dim extent, void** arguments, char* error,
                      std::size_t error_size) {
    return cuda_emulation::block().run_grid(grid, extent, body, arguments, error, error_size);
  }
  static bool announce() {
    static const std::size_t sizes[] = {sizeof(Parameters)..., 0};
    static const cuda_double_kernel kernel{__PRETTY_FUNCTION__, address_only(),
                                           static_cast<int>(sizeof...(Parameters)), sizes,
                                           run_grid};
    cuda_double_register(&kernel);
    return true;
  }
  static const void* address_only() { return reinterpret_cast<const void*>(kFunction); }

  static inline const bool registered = announce();
};

}  // namespace skiff::cuda
