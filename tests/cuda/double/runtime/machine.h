#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/cuda/double/control.h"

namespace cuda_double {

/// Work on a stream: runs on the host when its turn comes.
using Work = std::function<cudaError_t()>;

struct Graph {
  std::vector<Work> nodes;
};

struct Stream {
  std::vector<Work> queue;         ///< waits for a synchronisation
  std::unique_ptr<Graph> capture;  ///< while a capture is under way
  bool broken = false;             ///< the capture did what captures may not do
};

struct Allocation {
  char* mapping = nullptr;  ///< with a guard page at both ends
  std::size_t mapped = 0;
  std::size_t bytes = 0;
  bool device = false;  ///< the host may not touch it except while stream work runs
};

/// The one device and everything on it. Every function of the double holds its mutex.
struct Machine {
  std::recursive_mutex mutex;
  cuda_double_device device{1, 13000, 8, 7, 0, 1, 0};
  std::map<char*, Allocation> allocations;
  std::map<const void*, const cuda_double_kernel*> kernels;
  std::map<const cuda_double_kernel*, const void*> compiled;  ///< at run time, and their modules
  Stream default_stream;
  std::set<Stream*> streams;

  std::string fault_function;
  long fault_call = 0;
  cudaError_t fault_code = cudaSuccess;
  cudaError_t last = cudaSuccess;
  cudaError_t sticky = cudaSuccess;  ///< the context is lost

  std::map<std::string, double> costs;  ///< of kinds of work, ms
  double now = 0;                       ///< ms on the device's clock

  std::string complaints;
  long calls = 0, allocated = 0, objects = 0, launches = 0, waits = 0;
  std::size_t live_bytes = 0;
  int accessing = 0;
  bool has_context = false;  ///< for the life of the process

  void complain(const std::string& text) { complaints += text + "\n"; }
  cudaError_t result(cudaError_t error) {
    if (error != cudaSuccess) last = error;
    return error;
  }
};
Machine& machine();

Stream& stream_of(cudaStream_t handle);
/// Queues, or records while the stream captures.
cudaError_t submit(Stream& stream, Work work);
/// Puts a kernel on a stream; the arguments' values are taken now.
cudaError_t launch(const cuda_double_kernel* kernel, dim3 grid, dim3 block, void** arguments,
                   std::size_t shared, cudaStream_t stream);
/// Runs what waits. An error sticks to the device.
cudaError_t drain(Stream& stream);
/// The same for every stream, as giving memory back does.
void drain_all();

/// Whether an address lies in memory that this double gave out.
bool owns(const void* address);

/// Device memory is open to the host while one of these exists.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
};

/// Whether everything written so far stayed inside its allocation; complains otherwise.
bool intact(char* address, const Allocation& allocation);

}  // namespace cuda_double

#define CUDA_DOUBLE extern "C" __attribute__((visibility("default")))

/// First line of every function that may fail, with what its errors are.
#define CUDA_DOUBLE_ENTER_AS(Result)                                              \
  const std::lock_guard<std::recursive_mutex> lock(cuda_double::machine().mutex); \
  if (const int injected = cuda_double_enter(__func__)) return static_cast<Result>(injected)
#define CUDA_DOUBLE_ENTER() CUDA_DOUBLE_ENTER_AS(cudaError_t)

/// The same for functions that give something back, which they do even when they fail; but nobody
/// should call them once the context is lost.
#define CUDA_DOUBLE_LEAVE()                                                       \
  const std::lock_guard<std::recursive_mutex> lock(cuda_double::machine().mutex); \
  const auto injected = static_cast<cudaError_t>(cuda_double_enter(__func__));    \
  if (cuda_double::machine().sticky != cudaSuccess)                               \
  cuda_double::machine().complain(std::string(__func__) + " through a lost context")
