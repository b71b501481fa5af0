#pragma once

#include <cstdint>

#include "runtime/backend/api.h"
#include "runtime/cuda/handle.h"

namespace skiff::cuda {

using CudnnHandle = Handle<cudnnHandle_t, cudnnDestroy>;
using CublasHandle = Handle<cublasLtHandle_t, cublasLtDestroy>;

/// One session's hold on a GPU: a stream and what the libraries want to be told which stream. All
/// functions throw Error.
class Device {
 public:
  /// The GPU was found usable (see probe.h).
  explicit Device(int ordinal);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Makes this GPU the calling thread's.
  void enter() const { check(cudaSetDevice(ordinal_), "cudaSetDevice"); }
  cudaStream_t stream() const noexcept { return stream_.get(); }
  cudnnHandle_t cudnn() const noexcept { return cudnn_.get(); }
  cublasLtHandle_t cublas() const noexcept { return cublas_.get(); }
  void wait() const { check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize"); }

  skiff_device_info describe() const;

 private:
  int ordinal_;
  Stream stream_;
  CudnnHandle cudnn_;
  CublasHandle cublas_;
};

}  // namespace skiff::cuda
