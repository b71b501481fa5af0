#include <string_view>

#include "tests/cuda/double/control.h"

// A double of NVIDIA's management library: how much of the device is in use. Its header is not
// among those of CUDA's packages; the functions are declared as NVIDIA documents them.
namespace {

constexpr unsigned long long kTotal = 8ull << 30;
constexpr int kNotFound = 6;  // NVML_ERROR_NOT_FOUND
bool g_begun = false;

}  // namespace

#define NVML_DOUBLE extern "C" __attribute__((visibility("default")))

NVML_DOUBLE int nvmlInit_v2() {
  g_begun = true;
  return 0;
}
NVML_DOUBLE int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** device) {
  if (!g_begun || std::string_view(id) != "0000:00:00.0") return kNotFound;
  *device = &g_begun;
  return 0;
}
/// nvmlMemory_t is three such numbers.
NVML_DOUBLE int nvmlDeviceGetMemoryInfo(void* device, unsigned long long* total_free_used) {
  if (device != &g_begun) return kNotFound;
  const unsigned long long used = cuda_double_used_bytes();
  total_free_used[0] = kTotal;
  total_free_used[1] = kTotal - used;
  total_free_used[2] = used;
  return 0;
}
