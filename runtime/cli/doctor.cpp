#include <fmt/format.h>

#include "platform/board.h"
#include "platform/cpu_info.h"
#include "platform/memory_state.h"
#include "runtime/cli/byte_count.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/gpu.h"
#include "runtime/cli/output.h"
#include "runtime/cpu/isa.h"

namespace skiff::cli {
namespace {

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : text; }

/// Of the device that is asked for.
Gpu wanted_gpu(const SessionOptions& options) {
  if (options.device != DeviceKind::cpu) return find_gpu(options.gpu);
  return {false, "not looked for (--device=cpu)", {{"why_not", "--device=cpu"}}};
}

int doctor(const Common& common) {
  const SessionOptions options = common.session_options();
  const platform::Board board = platform::board();
  const platform::MemoryState memory = platform::memory_state();
  const platform::CacheSizes caches = platform::cache_sizes();
  Json json = environment_json();
  json["isas"] = Json::array();
  for (const cpu::KernelTable* table : cpu::available_tables()) json["isas"].push_back(table->name);
  json["memory_available"] = memory.available;
  json["caches"] = {{"l1", caches.l1}, {"l2", caches.l2}, {"l3", caches.l3}};
  const Gpu gpu = wanted_gpu(options);
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
  if (common.verbose)
    for (const auto& [name, value] : gpu.json.items())
      row("", fmt::format("{}: {}", name, value.dump()));
  if (board.has_dla) row("DLA", "there, but Skiff does not use it");
  row("skiff", fmt::format("{} ({}, {})", SKIFF_VERSION, SKIFF_BUILD_TYPE, SKIFF_COMPILER));
  if (common.json != "-") fmt::print("{}", text);
  write_json(json, common.json);
  return 0;
}

}  // namespace

Action add_doctor(CLI::App& app) {
  auto common = std::make_shared<Common>();
  add_machine_flags(app, *common);
  return [common] { return doctor(*common); };
}

}  // namespace skiff::cli
