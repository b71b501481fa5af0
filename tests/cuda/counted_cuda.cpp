#include "tests/cuda/counted_cuda.h"

#include <dlfcn.h>

#include <atomic>
#include <chrono>

#include "runtime/core/error.h"

// Types of CUDA's stand here as what they are to a caller: an error is an int, a handle a pointer.
namespace skiff::test {
namespace {

std::atomic<long> g_allocations, g_objects;
std::atomic<std::uint64_t> g_device_bytes;

constexpr int kUnknown = 999, kWithinDevice = 3, kNonBlocking = 1;

/// The function of the libcudart that the module brought along; null where there is none.
template <typename Function>
Function* in_runtime(const char* name) {
  for (const char* library : {"libcudart.so.13", "libcudart.so.12"})
    if (void* opened = dlopen(library, RTLD_LAZY | RTLD_NOLOAD))
      return reinterpret_cast<Function*>(dlsym(opened, name));
  return nullptr;
}

template <typename Function, typename... Arguments>
int forward(const char* name, Arguments... arguments) {
  auto* const function = in_runtime<Function>(name);
  return function == nullptr ? kUnknown : function(arguments...);
}

template <typename Function, typename... Arguments>
void must(const char* name, Arguments... arguments) {
  const int error = forward<Function>(name, arguments...);
  require(error == 0, ErrorCode::device, name, " gives error ", error);
}

}  // namespace

CudaCounts cuda_counts() noexcept {
  return {.allocations = g_allocations, .objects = g_objects, .device_bytes = g_device_bytes};
}

std::size_t free_device_bytes() {
  std::size_t free = 0, total = 0;
  must<int(std::size_t*, std::size_t*)>("cudaMemGetInfo", &free, &total);
  return free;
}

double copy_bandwidth(std::size_t bytes) {
  using Clock = std::chrono::steady_clock;
  using Allocate = int(void**, std::size_t);
  using Copy = int(void*, const void*, std::size_t, int, void*);
  constexpr int kCopies = 20;
  void *from = nullptr, *to = nullptr;
  must<Allocate>("cudaMalloc", &from, bytes);
  must<Allocate>("cudaMalloc", &to, bytes);
  must<int(void*, int, std::size_t, void*)>("cudaMemsetAsync", from, 0, bytes, nullptr);
  Clock::time_point begin;
  for (int i = 0; i <= kCopies; ++i) {
    must<Copy>("cudaMemcpyAsync", to, from, bytes, kWithinDevice, nullptr);
    if (i != 0) continue;
    must<int(void*)>("cudaStreamSynchronize", nullptr);  // the first one warms up
    begin = Clock::now();
  }
  must<int(void*)>("cudaStreamSynchronize", nullptr);
  const std::chrono::duration<double> seconds = Clock::now() - begin;
  for (void* memory : {from, to}) must<int(void*)>("cudaFree", memory);
  return 2.0 * kCopies * static_cast<double>(bytes) / seconds.count() / 1e9;
}

CallersStream::CallersStream() {
  must<int(void**, unsigned)>("cudaStreamCreateWithFlags", &stream_, kNonBlocking);
}

CallersStream::~CallersStream() { forward<int(void*)>("cudaStreamDestroy", stream_); }

void CallersStream::submit(void (*work)(void*), void* context) {
  must<int(void*, void (*)(void*), void*)>("cudaLaunchHostFunc", stream_, work, context);
}

void CallersStream::wait() { must<int(void*)>("cudaStreamSynchronize", stream_); }

}  // namespace skiff::test

#define COUNTED extern "C" __attribute__((visibility("default"))) int

COUNTED cudaMalloc(void** memory, std::size_t bytes) {
  ++skiff::test::g_allocations;
  skiff::test::g_device_bytes += bytes;
  return skiff::test::forward<int(void**, std::size_t)>("cudaMalloc", memory, bytes);
}
COUNTED cudaHostAlloc(void** memory, std::size_t bytes, unsigned flags) {
  ++skiff::test::g_allocations;
  return skiff::test::forward<int(void**, std::size_t, unsigned)>("cudaHostAlloc", memory, bytes,
                                                                  flags);
}
COUNTED cudaStreamCreateWithFlags(void** stream, unsigned flags) {
  ++skiff::test::g_objects;
  return skiff::test::forward<int(void**, unsigned)>("cudaStreamCreateWithFlags", stream, flags);
}
COUNTED cudaEventCreateWithFlags(void** event, unsigned flags) {
  ++skiff::test::g_objects;
  return skiff::test::forward<int(void**, unsigned)>("cudaEventCreateWithFlags", event, flags);
}
COUNTED cudaGraphInstantiate(void** ready, void* graph, unsigned long long flags) {
  ++skiff::test::g_objects;
  return skiff::test::forward<int(void**, void*, unsigned long long)>("cudaGraphInstantiate", ready,
                                                                      graph, flags);
}
