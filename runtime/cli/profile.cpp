#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "platform/clock.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/gpu.h"
#include "runtime/cli/number_flags.h"
#include "runtime/cli/output.h"
#include "runtime/cli/progress.h"
#include "runtime/cli/tensors.h"
#include "runtime/core/error.h"
#include "runtime/cpu/isa.h"

namespace skiff::cli {
namespace {

struct Options {
  Common common;
  int iterations = 50;
  std::string trace;
};

/// When each step of one run began; the last entry is its end.
using Marks = std::vector<std::int64_t>;

void mark(void* marks, std::size_t) {
  static_cast<Marks*>(marks)->push_back(platform::monotonic_ns());
}

Marks run_once(Session& session) {
  Marks marks;
  marks.reserve(session.step_count() + 1);
  const Status status = session.run(mark, &marks);
  require(status.ok(), status.code(), "node ", status.node(), ": ", status.message());
  return marks;
}

/// Median milliseconds of each step over all runs.
std::vector<double> medians(const std::vector<Marks>& runs, std::size_t steps) {
  std::vector<double> result(steps), times(runs.size());
  for (std::size_t s = 0; s < steps; ++s) {
    for (std::size_t r = 0; r < runs.size(); ++r)
      times[r] = static_cast<double>(runs[r][s + 1] - runs[r][s]) / 1e6;
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    result[s] = *middle;
  }
  return result;
}

double per_second(std::int64_t amount, double ms) {
  return ms > 0 ? static_cast<double>(amount) / ms / 1e6 : 0;  // in 10^9
}

/// Of what the CPU's threads could compute together; 0 for a layer of the GPU and one whose
/// operations are not counted.
double peak_share(const StepInfo& step, double ms, double peak) {
  if (step.device == DeviceKind::cuda || peak <= 0) return 0;
  return per_second(step.flops, ms) * 1e9 / peak;
}

Json layer_json(const StepInfo& step, double ms, double total, double peak) {
  Json json = {{"name", step.name},
               {"op", step.op},
               {"kernel", step.algorithm},
               {"device", name_of(step.device)},
               {"tensor_cores", step.tensor_cores},
               {"shape", step.output.extents()},
               {"ms", ms},
               {"share", total > 0 ? ms / total : 0},
               {"flops", step.flops},
               {"gflop_per_s", per_second(step.flops, ms)},
               {"bytes", step.bytes},
               {"gbyte_per_s", per_second(step.bytes, ms)},
               {"workspace", step.workspace}};
  if (step.device == DeviceKind::cpu) json["share_of_peak"] = peak_share(step, ms, peak);
  return json;
}

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  return ".." + std::string(text.substr(text.size() - most + 2));
}

/// The kernel, and whether a GPU's tensor cores compute it.
std::string kernel_text(const StepInfo& step) {
  return std::string(step.algorithm) + (step.tensor_cores ? " (TC)" : "");
}

/// Blank for what is not known or does not exist.
std::string unless_zero(const char* format, double value) {
  return value > 0 ? fmt::format(fmt::runtime(format), value) : std::string();
}

std::string row(const StepInfo& step, double ms, double total, double peak) {
  return fmt::format(
      "{:<32}  {:<16}  {:<6}  {:<26}  {:>9.4f}  {:>5.1f}%  {:>11}  {:>9}  {:>5}  "
      "{:>8}  {}\n",
      shortened(step.name, 32), shortened(step.op, 16), name_of(step.device),
      shortened(kernel_text(step), 26), ms, total > 0 ? 100 * ms / total : 0, step.bytes,
      unless_zero("{:.2f}", per_second(step.flops, ms)),
      unless_zero("{:.0f}%", 100 * peak_share(step, ms, peak)),
      unless_zero("{:.2f}", per_second(step.bytes, ms)), shape_text(step.output));
}

std::string head() {
  return fmt::format(
      "{:<32}  {:<16}  {:<6}  {:<26}  {:>9}  {:>6}  {:>11}  {:>9}  {:>5}  {:>8}  output\n", "layer",
      "operator", "device", "kernel", "ms", "share", "bytes", "GFLOP/s", "peak", "GB/s");
}

/// One run in the trace format of Chrome (chrome://tracing, Perfetto).
Json trace_json(const Session& session, const Marks& marks) {
  Json events = Json::array();
  for (std::size_t s = 0; s < session.step_count(); ++s) {
    const StepInfo step = session.step(s);
    events.push_back({{"name", step.name},
                      {"cat", step.op},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", static_cast<double>(marks[s] - marks[0]) / 1e3},
                      {"dur", static_cast<double>(marks[s + 1] - marks[s]) / 1e3},
                      {"args", {{"kernel", step.algorithm}, {"bytes", step.bytes}}}});
  }
  return {{"traceEvents", events}};
}

std::vector<Marks> measure(Session& session, int iterations) {
  Progress progress;
  for (int i = 0; i < 3; ++i) run_once(session);
  std::vector<Marks> runs;
  for (int i = 0; i < iterations; ++i) {
    progress.show("measuring", static_cast<double>(i) / iterations);
    runs.push_back(run_once(session));
  }
  return runs;
}

/// Operations a second of all threads that the session has on the CPU; 0: it runs no layer there.
double cpu_peak(const Session& session) {
  bool used = false;
  for (std::size_t s = 0; s < session.step_count(); ++s)
    used = used || session.step(s).device == DeviceKind::cpu;
  if (!used) return 0;
  return cpu::measured_peak(cpu::choose_table(session.isa())) * session.threads();
}

int profile(const Options& options) {
  check_writable(options.trace);
  const Model model = options.common.load();
  Session session = options.common.session(model);
  fill_random(session);
  const std::vector<Marks> runs = measure(session, options.iterations);
  const std::vector<double> ms = medians(runs, session.step_count());
  const double total = std::accumulate(ms.begin(), ms.end(), 0.0);
  const double peak = cpu_peak(session);

  Json json = {{"model", model.name()},
               {"isa", session.isa()},
               {"device", name_of(session.device())},
               {"threads", session.threads()},
               {"total_ms", total},
               {"layers", Json::array()},
               {"environment", environment_json(session)}};
  if (peak > 0) json["peak_gflop_per_s"] = peak / 1e9;
  std::string text = head();
  for (std::size_t s = 0; s < ms.size(); ++s) {
    json["layers"].push_back(layer_json(session.step(s), ms[s], total, peak));
    text += row(session.step(s), ms[s], total, peak);
  }
  text += fmt::format("total {:.3f} ms, median of {} runs, {}\n", total, runs.size(),
                      processor_text(session));
  if (peak > 0)
    text += fmt::format("peak of the CPU: {:.0f} GFLOP/s, as measured now\n", peak / 1e9);
  if (options.common.json != "-") fmt::print("{}", text);
  write_json(json, options.common.json);
  write_json(trace_json(session, runs.back()), options.trace);
  return 0;
}

}  // namespace

Action add_profile(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_common_flags(app, options->common);
  app.add_option("--iterations", options->iterations, "runs to take the median of")
      ->check(whole_number(1, 1000000));
  app.add_option("--trace", options->trace, "writes a Chrome trace of one run to a .json file");
  return [options] { return profile(*options); };
}

}  // namespace skiff::cli
