#pragma once

#include "runtime/cuda/device.h"
#include "runtime/cuda/kernel.h"

namespace skiff::cuda {

/// What a device runs with one launch: a CUDA graph, captured from its stream.
class Program {
 public:
  explicit Program(Device& device) : device_(device) {}

  /// Ends the capture and makes the graph ready. False when nothing was recorded.
  bool finish();
  /// Gives up a capture that failed.
  void abandon() noexcept;
  cudaError_t launch(cudaStream_t stream) noexcept { return cudaGraphLaunch(ready_.get(), stream); }
  /// Milliseconds of one launch, the median of `runs`, on the device's own stream. `flush` is
  /// written before each.
  float time(void* flush, std::size_t flush_bytes, int runs);

 private:
  Device& device_;
  GraphExec ready_;
};

}  // namespace skiff::cuda
