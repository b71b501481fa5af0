#include "runtime/cuda/footprint.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>

#include "platform/memory_state.h"
#include "runtime/cuda/symbol.h"

namespace skiff::cuda {
namespace {

/// The driver's management library, as far as it is asked: what a GPU has in use can be read there
/// without a context. Small boards' drivers come without it.
class Nvml {
 public:
  using Gpu = void*;

  static const Nvml* find() noexcept {
    static const Nvml nvml;
    return nvml.usable_ ? &nvml : nullptr;
  }
  /// Null when it is not known.
  Gpu gpu(const char* bus_id) const noexcept {
    Gpu gpu = nullptr;
    return gpu_(bus_id, &gpu) == 0 ? gpu : nullptr;
  }
  std::optional<std::uint64_t> used(Gpu gpu) const noexcept {
    unsigned long long total_free_used[3] = {};
    if (memory_(gpu, total_free_used) != 0) return {};
    return total_free_used[2];
  }

 private:
  Nvml() noexcept {
    void* const library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    int (*init)() = nullptr;
    usable_ = library != nullptr && find_function(library, "nvmlInit_v2", init) &&
              find_function(library, "nvmlDeviceGetHandleByPciBusId_v2", gpu_) &&
              find_function(library, "nvmlDeviceGetMemoryInfo", memory_) && init() == 0;
  }

  int (*gpu_)(const char* bus_id, Gpu* gpu) = nullptr;
  int (*memory_)(Gpu gpu, unsigned long long* total_free_used) = nullptr;
  bool usable_ = false;
};

/// One GPU's memory.
struct Watched {
  bool begun = false;
  bool integrated = false;
  Nvml::Gpu gpu = nullptr;
  std::optional<std::uint64_t> before;  ///< in use
  std::atomic<std::int64_t> allocated{0};

  std::optional<std::uint64_t> used() const noexcept {
    if (integrated) {
      const platform::MemoryState state = platform::memory_state();
      return state.total - state.available;
    }
    return gpu == nullptr ? std::optional<std::uint64_t>() : Nvml::find()->used(gpu);
  }
};

constexpr int kMostGpus = 64;
std::mutex g_mutex;
std::array<Watched, kMostGpus> g_watched;

Watched* watched(int ordinal) noexcept {
  const bool known = ordinal >= 0 && ordinal < kMostGpus;
  return known ? &g_watched[static_cast<std::size_t>(ordinal)] : nullptr;
}

}  // namespace

void begin_footprint(int ordinal) noexcept {
  Watched* const w = watched(ordinal);
  const std::lock_guard lock(g_mutex);
  if (w == nullptr || w->begun) return;
  w->begun = true;
  int integrated = 0;
  char bus_id[32] = "";
  if (cudaDeviceGetAttribute(&integrated, cudaDevAttrIntegrated, ordinal) != cudaSuccess) return;
  w->integrated = integrated != 0;
  const bool named = cudaDeviceGetPCIBusId(bus_id, sizeof bus_id, ordinal) == cudaSuccess;
  if (!w->integrated && named && Nvml::find() != nullptr) w->gpu = Nvml::find()->gpu(bus_id);
  w->before = w->used();
}

void count_allocated(int ordinal, std::int64_t bytes) noexcept {
  if (Watched* const w = watched(ordinal)) w->allocated += bytes;
}

std::uint64_t footprint(int ordinal) noexcept {
  const Watched* const w = watched(ordinal);
  const std::lock_guard lock(g_mutex);
  if (w == nullptr || !w->before) return 0;
  const auto used = w->used();
  if (!used) return 0;
  const auto rest = static_cast<std::int64_t>(*used - *w->before) - w->allocated;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(rest, 0));
}

}  // namespace skiff::cuda
