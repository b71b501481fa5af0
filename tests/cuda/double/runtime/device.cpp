#include <cstdio>
#include <cstring>

#include "tests/cuda/double/runtime/machine.h"

using namespace cuda_double;

namespace {

/// What a call says when there is no device to do it.
cudaError_t absent() {
  const cuda_double_device& device = machine().device;
  if (device.driver_version < CUDART_VERSION / 1000 * 1000) return cudaErrorInsufficientDriver;
  return device.count == 0 ? cudaErrorNoDevice : cudaSuccess;
}

}  // namespace

CUDA_DOUBLE cudaError_t cudaGetDeviceCount(int* count) {
  CUDA_DOUBLE_ENTER();
  *count = machine().device.count;
  return machine().result(absent());
}
CUDA_DOUBLE cudaError_t cudaSetDevice(int index) {
  CUDA_DOUBLE_ENTER();
  if (const cudaError_t error = absent(); error != cudaSuccess) return machine().result(error);
  if (index < 0 || index >= machine().device.count) return machine().result(cudaErrorInvalidDevice);
  machine().has_context = true;
  return cudaSuccess;
}
CUDA_DOUBLE cudaError_t cudaDeviceGetPCIBusId(char* id, int size, int index) {
  CUDA_DOUBLE_ENTER();
  std::snprintf(id, static_cast<std::size_t>(size), "0000:%02x:00.0", index);
  return cudaSuccess;
}
CUDA_DOUBLE cudaError_t cudaDriverGetVersion(int* version) {
  CUDA_DOUBLE_ENTER();
  *version = machine().device.driver_version;
  return cudaSuccess;
}
CUDA_DOUBLE cudaError_t cudaRuntimeGetVersion(int* version) {
  CUDA_DOUBLE_ENTER();
  const int claimed = machine().device.runtime;
  *version = claimed != 0 ? claimed : CUDART_VERSION;
  return cudaSuccess;
}
CUDA_DOUBLE cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute,
                                               int /*index*/) {
  CUDA_DOUBLE_ENTER();
  const cuda_double_device& device = machine().device;
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
      *value = device.major;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = device.minor;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = 16;
      return cudaSuccess;
    case cudaDevAttrL2CacheSize:
      *value = 1 << 16;
      return cudaSuccess;
    case cudaDevAttrIntegrated:
      *value = device.integrated;
      return cudaSuccess;
    default:
      return machine().result(cudaErrorInvalidValue);
  }
}
CUDA_DOUBLE cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int /*index*/) {
  CUDA_DOUBLE_ENTER();
  std::memset(properties, 0, sizeof(*properties));
  std::strcpy(properties->name, "CUDA double");
  properties->totalGlobalMem = std::size_t{8} << 30;
  return cudaSuccess;
}

CUDA_DOUBLE cudaError_t cudaGetLastError() {
  Machine& m = machine();
  const std::lock_guard<std::recursive_mutex> lock(m.mutex);
  return m.sticky != cudaSuccess ? m.sticky : std::exchange(m.last, cudaSuccess);
}
CUDA_DOUBLE cudaError_t cudaPeekAtLastError() {
  const std::lock_guard<std::recursive_mutex> lock(machine().mutex);
  return machine().sticky != cudaSuccess ? machine().sticky : machine().last;
}
CUDA_DOUBLE const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : "an error of the CUDA double";
}
CUDA_DOUBLE const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaSuccess ? "cudaSuccess" : "cudaError";
}
