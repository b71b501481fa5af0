#include <fmt/format.h>

#include "platform/board.h"
#include "platform/cpu_info.h"
#include "platform/memory_state.h"
#include "runtime/backend/device.h"
#include "runtime/backend/module.h"
#include "runtime/cli/byte_count.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/output.h"
#include "runtime/core/error.h"
#include "runtime/cpu/isa.h"

namespace skiff::cli {
namespace {

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : text; }

struct Gpu {
  bool usable = false;
  std::string text;  ///< which one, or why none
  Json json;
};

std::string version_text(int version, int unit) {
  return fmt::format("{}.{}", version / (unit * 100), version / unit % 100);
}

/// What a session would find, found the same way.
Gpu find_gpu() {
  std::string why;
  try {
    const skiff_backend* table = backend::module(why);
    require(table != nullptr, ErrorCode::device, why);
    const skiff_device_info info = backend::Device(*table, 0).info();
    const std::string driver = version_text(info.driver, 10), cuda = version_text(info.runtime, 10),
                      cudnn = version_text(info.cudnn, 100);
    const bool compiles = table->compiles() != 0;
    return {true,
            fmt::format(
                "{}, sm_{}{}, {} multiprocessors, {}; driver for CUDA {}, CUDA {}, cuDNN {}, {}",
                info.name, info.major, info.minor, info.processors,
                info.integrated != 0 ? "shares the host's memory" : size_text(info.memory), driver,
                cuda, cudnn, compiles ? "NVRTC" : "no NVRTC (chains are not compiled)"),
            {{"name", info.name},
             {"compute_capability", fmt::format("{}.{}", info.major, info.minor)},
             {"multiprocessors", info.processors},
             {"integrated", info.integrated != 0},
             {"memory", info.memory},
             {"driver", driver},
             {"cuda", cuda},
             {"cudnn", cudnn},
             {"nvrtc", compiles}}};
  } catch (const Error& error) {
    return {false, fmt::format("not used: {}", error.what()), {{"why_not", error.what()}}};
  }
}

int doctor(const std::string& json_target) {
  const platform::Board board = platform::board();
  const platform::MemoryState memory = platform::memory_state();
  const platform::CacheSizes caches = platform::cache_sizes();
  Json json = environment_json();
  json["isas"] = Json::array();
  for (const cpu::KernelTable* table : cpu::available_tables()) json["isas"].push_back(table->name);
  json["memory_available"] = memory.available;
  json["caches"] = {{"l1", caches.l1}, {"l2", caches.l2}, {"l3", caches.l3}};
  const Gpu gpu = find_gpu();
  json["cuda"] = gpu.usable;
  json["gpu"] = gpu.json;

  std::string isas;
  for (const Json& name : json["isas"]) isas += " " + name.get<std::string>();
  std::string text;
  const auto row = [&](const char* what, const std::string& value) {
    text += fmt::format("{:<14}{}\n", what, value);
  };
  row("board", board.model.empty() ? "no embedded board" : board.model);
  if (board.is_jetson())
    row("Jetson Linux",
        fmt::format("{} (JetPack {})", or_unknown(board.l4t), or_unknown(board.jetpack)));
  row("system", fmt::format("{}, kernel {}, {}, {}", or_unknown(board.os), or_unknown(board.kernel),
                            board.arch, board.libc));
  row("processor",
      fmt::format("{}, {} CPU(s) usable", platform::cpu_name().data(), platform::usable_cpus()));
  row("caches", fmt::format("L1 {}, L2 {}, L3 {}", size_text(caches.l1), size_text(caches.l2),
                            size_text(caches.l3)));
  row("memory",
      fmt::format("{} of {} available", size_text(memory.available), size_text(memory.total)));
  row("kernels for", isas.substr(1) + " (best first; choose with --isa)");
  row("GPU", gpu.text);
  if (board.has_dla) row("DLA", "there, but Skiff does not use it");
  row("skiff", fmt::format("{} ({}, {})", SKIFF_VERSION, SKIFF_BUILD_TYPE, SKIFF_COMPILER));
  if (json_target != "-") fmt::print("{}", text);
  write_json(json, json_target);
  return 0;
}

}  // namespace

Action add_doctor(CLI::App& app) {
  auto json = std::make_shared<std::string>();
  app.add_option("--json", *json, "writes the same as JSON to a file, or - for standard output");
  return [json] { return doctor(*json); };
}

}  // namespace skiff::cli
