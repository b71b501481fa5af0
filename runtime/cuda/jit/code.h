#pragma once

#include <cuda.h>

#include <string>

#include "runtime/cuda/handle.h"

namespace skiff::cuda::jit {

void unload(CUmodule code) noexcept;

/// Code compiled while loading, in the GPU's memory. It must outlive what launches it.
class Code {
 public:
  /// `binary`: what CodeStore::get() gave for the calling thread's GPU. Throws Error.
  explicit Code(const std::string& binary);

  /// A kernel that its source declares extern "C". Throws Error.
  CUfunction find(const char* kernel) const;

 private:
  Handle<CUmodule, unload> module_;
};

/// Puts a kernel on a stream; `arguments` as for cudaLaunchKernel(). Throws Error.
void launch(CUfunction kernel, unsigned blocks, unsigned threads, cudaStream_t stream,
            void** arguments);

}  // namespace skiff::cuda::jit
