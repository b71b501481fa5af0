#include "runtime/cuda/device.h"

#include <string_view>

#include "runtime/core/error.h"

namespace skiff::cuda {

namespace {

int attribute(cudaDeviceAttr name, int ordinal) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, name, ordinal), "cudaDeviceGetAttribute");
  return value;
}

/// As run-time compilers name it.
std::string architecture(int ordinal) {
  return message("sm_", attribute(cudaDevAttrComputeCapabilityMajor, ordinal),
                 attribute(cudaDevAttrComputeCapabilityMinor, ordinal));
}

}  // namespace

Device::Device(int ordinal, cudaStream_t callers_stream, const char* code_folder)
    : ordinal_(ordinal),
      callers_stream_(callers_stream),
      codes_(code_folder, architecture(ordinal)) {
  enter();
  check(cudaStreamCreateWithFlags(stream_.out(), cudaStreamNonBlocking), "cudaStreamCreate");
  check(cudnnCreate(cudnn_.out()), "cudnnCreate");
  check(cudnnSetStream(cudnn(), stream()), "cudnnSetStream");
  check(cublasLtCreate(cublas_.out()), "cublasLtCreate");
}

Device::~Device() {
  if (!context_lost()) latch(cudaStreamSynchronize(stream()));
}

skiff_device_info Device::describe() const {
  skiff_device_info info{};
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, ordinal_), "cudaGetDeviceProperties");
  const std::string_view name = properties.name;
  name.copy(info.name, sizeof(info.name) - 1);
  info.memory = properties.totalGlobalMem;
  info.major = attribute(cudaDevAttrComputeCapabilityMajor, ordinal_);
  info.minor = attribute(cudaDevAttrComputeCapabilityMinor, ordinal_);
  info.processors = attribute(cudaDevAttrMultiProcessorCount, ordinal_);
  info.integrated = attribute(cudaDevAttrIntegrated, ordinal_);
  info.cache = static_cast<std::uint64_t>(attribute(cudaDevAttrL2CacheSize, ordinal_));
  check(cudaDriverGetVersion(&info.driver), "cudaDriverGetVersion");
  check(cudaRuntimeGetVersion(&info.runtime), "cudaRuntimeGetVersion");
  info.cudnn = static_cast<std::int32_t>(cudnnGetVersion());
  info.cublas = static_cast<std::int32_t>(cublasLtGetVersion());
  return info;
}

}  // namespace skiff::cuda
