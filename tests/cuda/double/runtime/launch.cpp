#include <cstring>

#include "tests/cuda/double/runtime/machine.h"

namespace cuda_double {
namespace {

/// The values of a launch's arguments, copied when it was asked for.
struct Arguments {
  std::vector<std::vector<char>> values;

  Arguments(const cuda_double_kernel& kernel, void** from) {
    for (int i = 0; i < kernel.count; ++i) {
      const auto* begin = static_cast<const char*>(from[i]);
      values.emplace_back(begin, begin + kernel.sizes[i]);
    }
  }
  cudaError_t run(const cuda_double_kernel& kernel, dim3 grid, dim3 block) {
    std::vector<void*> pointers;
    for (std::vector<char>& value : values) pointers.push_back(value.data());
    cuda_double_spend(kernel.name);
    char error[256] = "";
    const int code = kernel.run({grid.x, grid.y, grid.z}, {block.x, block.y, block.z},
                                pointers.data(), error, sizeof(error));
    if (code != 0) machine().complain(std::string(kernel.name) + ": " + error);
    return static_cast<cudaError_t>(code);
  }
};

bool possible(dim3 grid, dim3 block) {
  constexpr unsigned kMostBlocks = 65535, kMostThreads = 1024;
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  return threads > 0 && threads <= kMostThreads && block.z <= 64 && grid.x > 0 && grid.y > 0 &&
         grid.z > 0 && grid.x <= 0x7fffffffu && grid.y <= kMostBlocks && grid.z <= kMostBlocks;
}

const cuda_double_kernel* find(const void* address) {
  const auto& kernels = machine().kernels;
  const auto found = kernels.find(address);
  return found == kernels.end() ? nullptr : found->second;
}

}  // namespace

cudaError_t launch(const cuda_double_kernel* kernel, dim3 grid, dim3 block, void** from,
                   std::size_t shared, cudaStream_t stream) {
  if (kernel == nullptr || machine().device.has_image == 0)
    return machine().result(cudaErrorNoKernelImageForDevice);
  if (!possible(grid, block) || shared != 0) return machine().result(cudaErrorInvalidConfiguration);
  const bool compiled = machine().compiled.contains(kernel);
  const auto arguments = std::make_shared<Arguments>(*kernel, from);
  return submit(stream_of(stream), [=] {
    if (compiled && !machine().compiled.contains(kernel)) {
      machine().complain("code that was unloaded is launched");
      return cudaErrorIllegalAddress;
    }
    return arguments->run(*kernel, grid, block);
  });
}

}  // namespace cuda_double

using namespace cuda_double;

CUDA_DOUBLE void cuda_double_register(const cuda_double_kernel* kernel) {
  const std::lock_guard<std::recursive_mutex> lock(machine().mutex);
  machine().kernels[kernel->address] = kernel;
}

CUDA_DOUBLE cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** from,
                                         size_t shared, cudaStream_t stream) {
  CUDA_DOUBLE_ENTER();
  return launch(find(function), grid, block, from, shared, stream);
}

CUDA_DOUBLE cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes,
                                              const void* function) {
  CUDA_DOUBLE_ENTER();
  if (find(function) == nullptr || machine().device.has_image == 0)
    return machine().result(cudaErrorNoKernelImageForDevice);
  std::memset(attributes, 0, sizeof(*attributes));
  attributes->maxThreadsPerBlock = 1024;
  return cudaSuccess;
}
