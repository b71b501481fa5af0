#include "runtime/cli/plan_listing.h"

#include <fmt/format.h>

#include "runtime/cli/gpu.h"
#include "runtime/session/impl.h"

namespace skiff::cli {
namespace {

std::string head() {
  return fmt::format("{:>4}  {:<4}  {:<16}  {:<20}  {:>9} B scratch  output\n", "step", "on",
                     "operator", "kernel", "");
}

std::string row(std::size_t s, const StepInfo& step) {
  return fmt::format("{:>4}  {:<4}  {:<16}  {:<20}  {:>9} B scratch  {}  {}\n", s,
                     name_of(step.device), step.op, step.algorithm, step.workspace,
                     shape_text(step.output), step.name);
}

Json step_json(const StepInfo& step) {
  return {{"name", step.name},
          {"op", step.op},
          {"device", name_of(step.device)},
          {"kernel", step.algorithm},
          {"workspace", step.workspace},
          {"shape", step.output.extents()}};
}

/// Why a session has no GPU; empty: it has one.
std::string why_no_gpu(const Session& session, const Common& common) {
  if (session.device() == DeviceKind::cuda) return "";
  const SessionOptions options = common.session_options();
  if (options.device == DeviceKind::cpu) return "--device=cpu";
  const Gpu gpu = find_gpu(options.gpu);
  return gpu.usable ? "" : gpu.json["why_not"].get<std::string>();
}

/// Counts what a listing shows.
struct Sums {
  std::size_t on_cpu = 0, on_gpu = 0;
  std::uint64_t to_gpu = 0, to_cpu = 0;
};

/// A step of the main graph, or the number of steps for the end.
std::size_t shown_step(const Session::Impl& impl, const Border& border) {
  const auto step = static_cast<std::size_t>(border.step);
  return step < impl.binding.steps.size() ? impl.binding.steps[step].shown : impl.shown_count();
}

/// Lists the copies right before a step.
class Borders {
 public:
  explicit Borders(const Session& session) : impl_(session.impl()) {}

  void list_before(std::size_t step, Sums& sums, Json& json, std::string& text) {
    const auto& all = impl_.layout.borders;
    for (; next_ < all.size() && shown_step(impl_, all[next_]) <= step; ++next_) {
      const Border& border = all[next_];
      const std::uint64_t bytes = impl_.bytes_of(border);
      const bool to_gpu = border.to == Space::device;
      const std::string_view name = impl_.graph().value(border.value).info.name;
      (to_gpu ? sums.to_gpu : sums.to_cpu) += bytes;
      json.push_back({{"value", name},
                      {"before_step", step},
                      {"to", name_of(to_gpu ? DeviceKind::cuda : DeviceKind::cpu)},
                      {"bytes", bytes}});
      text +=
          fmt::format("      copy  {:>9} B to the {}: {}\n", bytes, to_gpu ? "GPU" : "CPU", name);
    }
  }

 private:
  const Session::Impl& impl_;
  std::size_t next_ = 0;
};

std::string sums_text(const Sums& sums) {
  return fmt::format(
      "placement: {} step(s) on the GPU, {} on the CPU; a run copies {} B to the GPU and {} B "
      "back\n",
      sums.on_gpu, sums.on_cpu, sums.to_gpu, sums.to_cpu);
}

}  // namespace

void list_plan(const Session& session, Json& json, std::string& text) {
  json["steps"] = Json::array();
  text += head();
  for (std::size_t s = 0; s < session.step_count(); ++s) {
    json["steps"].push_back(step_json(session.step(s)));
    text += row(s, session.step(s));
  }
}

void list_placement(const Session& session, const Common& common, Json& json, std::string& text) {
  const std::string why_none = why_no_gpu(session, common);
  Borders borders(session);
  Sums sums;
  Json steps = Json::array(), copies = Json::array();
  text += head();
  for (std::size_t s = 0; s < session.step_count(); ++s) {
    borders.list_before(s, sums, copies, text);
    const StepInfo step = session.step(s);
    const bool on_cpu = step.device == DeviceKind::cpu;
    ++(on_cpu ? sums.on_cpu : sums.on_gpu);
    steps.push_back(step_json(step));
    text += row(s, step);
    if (!on_cpu) continue;
    steps.back()["why_cpu"] = why_none.empty() ? std::string(step.why_cpu) : why_none;
    if (why_none.empty()) text += fmt::format("            the CPU: {}\n", step.why_cpu);
  }
  borders.list_before(session.step_count(), sums, copies, text);
  text += sums_text(sums);
  if (!why_none.empty()) text += fmt::format("  no GPU is used: {}\n", why_none);
  json["steps"] = steps;
  json["borders"] = copies;
  json["placement"] = {{"gpu_steps", sums.on_gpu},
                       {"cpu_steps", sums.on_cpu},
                       {"bytes_to_gpu", sums.to_gpu},
                       {"bytes_to_cpu", sums.to_cpu}};
}

}  // namespace skiff::cli
