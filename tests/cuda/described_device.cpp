#include "tests/cuda/described_device.h"

#include <nlohmann/json.hpp>
#include <string>

namespace skiff::cuda {
namespace {

std::string describe(const DescribedDevice& device) {
  return nlohmann::json{{"deviceName", device.name},
                        {"deviceVer", device.version},
                        {"driverVer", CUDART_VERSION},
                        {"cudaDeviceId", 0},
                        {"multiProcessorCount", device.processors},
                        {"warpSize", 32},
                        {"maxGridSize", {2147483647, 65535, 65535}},
                        {"maxBlockSize", {1024, 1024, 64}},
                        {"regsPerBlock", 65536},
                        {"smClockRateKHz", 1300000},
                        {"memClockRateKHz", 3199000},
                        {"l2CacheSize", device.l2_bytes},
                        {"maxSharedMemoryPerBlock", 49152},
                        {"maxSharedMemoryPerBlockOptin", device.shared_bytes},
                        {"reservedSharedMemoryPerBlock", 1024},
                        {"maxRegistersPerSM", 65536},
                        {"maxCtasPerSM", device.blocks},
                        {"maxThreadsPerBlock", 1024},
                        {"maxThreadsPerSM", device.threads},
                        {"pciDeviceId", 0},
                        {"isTccDriver", 0},
                        {"supportCoopLaunch", 1},
                        {"totalGlobalMem", 32000000000}}
      .dump();
}

}  // namespace

DescribedTarget::DescribedTarget(const DescribedDevice& device)
    : properties_(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR) {
  const std::string text = describe(device);
  properties_
      .set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, text.size(), text.data())
      .finalize();
}

}  // namespace skiff::cuda
