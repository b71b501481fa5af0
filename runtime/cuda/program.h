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
  cudaError_t launch() noexcept { return cudaGraphLaunch(ready_.get(), device_.stream()); }

 private:
  Device& device_;
  GraphExec ready_;
};

}  // namespace skiff::cuda
