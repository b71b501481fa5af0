#include "runtime/cli/output.h"

#include <fmt/format.h>

#include "platform/board.h"
#include "platform/cpu_info.h"
#include "platform/file.h"
#include "platform/memory_state.h"
#include "runtime/cli/byte_count.h"

namespace skiff::cli {

Json memory_json(const MemoryReport& m) {
  return {{"weights", m.weights},
          {"arena", m.arena},
          {"arena_lower_bound", m.arena_lower_bound},
          {"arena_lower_bound_plain", m.arena_lower_bound_plain},
          {"arena_proved_minimal", m.arena_proved_minimal},
          {"device_arena", m.device_arena},
          {"workspace", m.workspace},
          {"io", m.io},
          {"other", m.other},
          {"total", m.total}};
}

Json environment_json() {
  const platform::Board board = platform::board();
  return {{"skiff", SKIFF_VERSION},
          {"build", SKIFF_BUILD_TYPE},
          {"compiler", SKIFF_COMPILER},
          {"board", board.model},
          {"cpu", platform::cpu_name().data()},
          {"cpus", platform::usable_cpus()},
          {"memory", platform::memory_state().total},
          {"arch", board.arch},
          {"os", board.os},
          {"kernel", board.kernel},
          {"l4t", board.l4t},
          {"jetpack", board.jetpack}};
}

std::string memory_row(const char* name, std::uint64_t bytes, const std::string& remark) {
  return fmt::format("  {:<10}{:>12} B  {:>10}  {}\n", name, bytes, size_text(bytes), remark);
}

std::string memory_text(const MemoryReport& m) {
  std::string text = "memory\n";
  const auto row = [&](const char* name, std::uint64_t bytes, const std::string& remark) {
    text += memory_row(name, bytes, remark);
  };
  row("weights", m.weights, "packed for this processor");
  const std::string bound = fmt::format(
      "activations and scratch; lower bound {} B{}, {} B without aliasing", m.arena_lower_bound,
      m.arena_proved_minimal ? " (no packing is smaller)" : "", m.arena_lower_bound_plain);
  row("arena", m.arena, bound);
  if (m.device_arena > 0) row("", m.device_arena, "of the arena, on the GPU");
  row("io", m.io, "inputs and outputs");
  row("other", m.other, "metadata, kernels, threads");
  row("total", m.total, "peak of what is requested, from the start of load");
  return text;
}

void check_writable(const std::string& target) {
  if (target.empty() || target == "-") return;
  const platform::AtomicFileWriter begun(target);
}

void write_text(const std::string& path, const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  platform::write_file_atomically(path, {&bytes, 1});
}

void write_json(const Json& json, const std::string& target) {
  if (target.empty()) return;
  // Names come from files and may be no UTF-8.
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (target == "-")
    fmt::print("{}", text);
  else
    write_text(target, text);
}

std::string shape_text(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape.extents(), ", "));
}

}  // namespace skiff::cli
