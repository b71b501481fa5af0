#include "runtime/cuda/epilogue.h"

#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void finish_elements(Epilogue<T> epilogue, std::int64_t count, int channels, T* y) {
  const std::int64_t i = global_thread();
  if (i < count) y[i] = epilogue.apply(to_float(y[i]), i, static_cast<int>(i % channels));
}

}  // namespace

void enqueue_epilogue(const LaunchArgs& args, DType dtype, std::int64_t rows, std::int64_t channels,
                      const void* bias, const void* residual, const Activation& activation,
                      void* y) {
  const std::int64_t count = rows * channels;
  if (count == 0) return;
  dispatch_float(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Epilogue<T> epilogue{static_cast<const T*>(bias), static_cast<const T*>(residual),
                               activation};
    check(Launch<finish_elements<T>>::run(blocks_for(count, kThreads), kThreads, args.stream(),
                                          epilogue, count, narrow(channels), static_cast<T*>(y)),
          "epilogue");
  });
}

}  // namespace skiff::cuda
