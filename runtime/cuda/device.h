#pragma once

#include <cstdint>

#include "runtime/backend/api.h"
#include "runtime/cuda/handle.h"
#include "runtime/cuda/jit/code_store.h"

namespace skiff::cuda {

using CudnnHandle = Handle<cudnnHandle_t, cudnnDestroy>;
using CublasHandle = Handle<cublasLtHandle_t, cublasLtDestroy>;

/// One session's hold on a GPU: a stream and what the libraries want to be told which stream. All
/// functions throw Error.
class Device {
 public:
  /// The GPU was found usable (see probe.h). Programs run on `callers_stream`, or null: on the
  /// device's own, where everything is recorded and tried. `code_folder`: see codes().
  Device(int ordinal, cudaStream_t callers_stream, const char* code_folder);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Makes this GPU the calling thread's.
  void enter() const { check(cudaSetDevice(ordinal_), "cudaSetDevice"); }
  cudaStream_t stream() const noexcept { return stream_.get(); }
  cudaStream_t run_stream() const noexcept {
    return callers_stream_ != nullptr ? callers_stream_ : stream();
  }
  /// Waits for what the caller put on its stream: work outside programs goes to another one.
  void follow_caller() const {
    if (callers_stream_ != nullptr)
      check(cudaStreamSynchronize(callers_stream_), "cudaStreamSynchronize");
  }
  cudnnHandle_t cudnn() const noexcept { return cudnn_.get(); }
  cublasLtHandle_t cublas() const noexcept { return cublas_.get(); }
  /// Code that is compiled for this GPU while loading.
  jit::CodeStore& codes() noexcept { return codes_; }
  void wait() const { check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize"); }

  skiff_device_info describe() const;

 private:
  int ordinal_;
  cudaStream_t callers_stream_;
  Stream stream_;
  CudnnHandle cudnn_;
  CublasHandle cublas_;
  jit::CodeStore codes_;
};

}  // namespace skiff::cuda
