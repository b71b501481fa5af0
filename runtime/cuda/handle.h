#pragma once

#include <utility>

#include "runtime/cuda/check.h"

namespace skiff::cuda {

/// Sole owner of an object of CUDA, cuDNN or cuBLASLt. Objects of a lost context are let go.
template <typename T, auto kDestroy>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T object) noexcept : object_(object) {}
  Handle(Handle&& other) noexcept : object_(std::exchange(other.object_, T{})) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Handle() {
    if (object_ != T{} && !context_lost()) static_cast<void>(kDestroy(object_));
  }

  T get() const noexcept { return object_; }
  /// Where a creating function puts the object; must be empty.
  T* out() noexcept { return &object_; }
  explicit operator bool() const noexcept { return object_ != T{}; }

 private:
  T object_{};
};

using Event = Handle<cudaEvent_t, cudaEventDestroy>;
using Stream = Handle<cudaStream_t, cudaStreamDestroy>;
using Graph = Handle<cudaGraph_t, cudaGraphDestroy>;
using GraphExec = Handle<cudaGraphExec_t, cudaGraphExecDestroy>;

}  // namespace skiff::cuda
