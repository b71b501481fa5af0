#include "runtime/cli/gpu.h"

#include <fmt/format.h>

#include "platform/cpu_info.h"
#include "runtime/backend/device.h"
#include "runtime/backend/module.h"
#include "runtime/cli/byte_count.h"
#include "runtime/core/error.h"
#include "runtime/session/impl.h"

namespace skiff::cli {
namespace {

/// Of a number like 13020 for 13.2, `unit` being what the minor version counts in.
std::string version_text(int version, int unit) {
  return fmt::format("{}.{}", version / (unit * 100), version / unit % 100);
}

std::string driver_text(const skiff_device_info& info) { return version_text(info.driver, 10); }
std::string cudnn_text(const skiff_device_info& info) { return version_text(info.cudnn, 100); }

Json gpu_json(const skiff_device_info& info) {
  return {{"name", info.name},
          {"compute_capability", fmt::format("{}.{}", info.major, info.minor)},
          {"multiprocessors", info.processors},
          {"integrated", info.integrated != 0},
          {"memory", info.memory},
          {"driver", driver_text(info)},
          {"cuda", version_text(info.runtime, 10)},
          {"cudnn", cudnn_text(info)},
          {"cublas", info.cublas}};
}

const skiff_device_info* info_of(const Session& session) {
  const auto& device = session.impl().device;
  return device ? &device->info() : nullptr;
}

/// Throws Error{device} that says why there is none.
const skiff_backend& gpu_module() {
  std::string why;
  const skiff_backend* const table = backend::module(why);
  require(table != nullptr, ErrorCode::device, why);
  return *table;
}

}  // namespace

Gpu find_gpu(int ordinal) {
  try {
    const skiff_backend& table = gpu_module();
    const skiff_device_info info = backend::Device(table, ordinal).info();
    const bool compiles = table.compiles() != 0;
    Gpu gpu{true,
            fmt::format(
                "{}, sm_{}{}, {} multiprocessors, {}; driver for CUDA {}, CUDA {}, cuDNN {}, {}",
                info.name, info.major, info.minor, info.processors,
                info.integrated != 0 ? "shares the host's memory" : size_text(info.memory),
                driver_text(info), version_text(info.runtime, 10), cudnn_text(info),
                compiles ? "NVRTC" : "no NVRTC (chains are not compiled)"),
            gpu_json(info)};
    gpu.json["nvrtc"] = compiles;
    return gpu;
  } catch (const Error& error) {
    return {false, fmt::format("not used: {}", error.what()), {{"why_not", error.what()}}};
  }
}

std::uint64_t context_bytes(const Session& session) {
  const auto& device = session.impl().device;
  return device ? device->footprint() : 0;
}

std::uint64_t context_bytes(const SessionOptions& options) {
  if (options.device == DeviceKind::cpu) return 0;
  try {
    return backend::Device(gpu_module(), options.gpu).footprint();
  } catch (const Error&) {
    return 0;  // no GPU
  }
}

std::string add_context(Json& memory, std::uint64_t bytes) {
  if (bytes == 0) return "";
  memory["context"] = bytes;
  return memory_row("context", bytes, "CUDA's context and libraries, besides: measured now");
}

std::string processor_text(const Session& session) {
  const skiff_device_info* const info = info_of(session);
  if (info == nullptr) return fmt::format("{} on {}", session.isa(), platform::cpu_name().data());
  return fmt::format("cuda ({}, sm_{}{}, driver for CUDA {}, cuDNN {})", info->name, info->major,
                     info->minor, driver_text(*info), cudnn_text(*info));
}

Json environment_json(const Session& session) {
  Json json = environment_json();
  if (const skiff_device_info* const info = info_of(session)) json["gpu"] = gpu_json(*info);
  return json;
}

}  // namespace skiff::cli
