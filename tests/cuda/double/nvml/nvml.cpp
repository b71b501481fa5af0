#include <string_view>

#include "tests/cuda/double/control.h"

// A double of NVIDIA's management library: how much of the device is in use. Its header is not
// among those of CUDA's packages; the functions are declared as NVIDIA documents them.
namespace {

struct Memory {
  unsigned long long total, free, used;
};
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
NVML_DOUBLE int nvmlDeviceGetMemoryInfo(void* device, Memory* memory) {
  if (device != &g_begun) return kNotFound;
  const unsigned long long used = cuda_double_used_bytes();
  *memory = {kTotal, kTotal - used, used};
  return 0;
}
