#pragma once

#include <cuda_runtime_api.h>

// The only way to launch a kernel: Launch<kernel<float>>::run(grid, block, stream, arguments...).
// The build that runs kernels on the host brings another header of this name.
namespace skiff::cuda {

template <auto kFunction>
struct Launch;

template <typename... Parameters, void (*kFunction)(Parameters...)>
struct Launch<kFunction> {
  static cudaError_t run(dim3 grid, dim3 block, cudaStream_t stream, Parameters... parameters) {
    void* arguments[] = {static_cast<void*>(&parameters)..., nullptr};
    return cudaLaunchKernel(address(), grid, block, arguments, 0, stream);
  }
  /// What the runtime knows the kernel by.
  static const void* address() { return reinterpret_cast<const void*>(kFunction); }
};

}  // namespace skiff::cuda
