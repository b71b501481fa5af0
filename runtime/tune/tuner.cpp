#include "runtime/tune/tuner.h"

#include <limits>
#include <mutex>
#include <utility>

#include "runtime/core/error.h"
#include "runtime/tune/trial.h"

namespace skiff::tune {
namespace {

std::mutex g_mutex;
/// What this process timed.
PlanCache& known() {
  static PlanCache cache;
  return cache;
}

std::string known_choice(const std::string& key) {
  const std::lock_guard lock(g_mutex);
  return std::string(known().find(key));
}

void remember(const std::string& key, const std::string& algorithm) {
  const std::lock_guard lock(g_mutex);
  known().put(key, algorithm);
}

/// Everything but the node that decides how fast an algorithm is, and which there are.
std::string describe(const skiff_device_info& info) {
  return message("sm_", info.major, info.minor, " x", info.processors, " driver ", info.driver,
                 " cuda ", info.runtime, " cudnn ", info.cudnn, " cublas ", info.cublas);
}

/// Slower by less than this, an algorithm may still be the better one within the network.
constexpr float kClose = 1.15f;

std::string path_of(const SessionOptions& options) {
  return options.plan_cache != nullptr ? options.plan_cache : default_plan_cache();
}

}  // namespace

std::string code_folder(const SessionOptions& options) {
  const std::string path = path_of(options);
  return path.empty() ? path : path + ".code";
}

Tuner::Tuner(backend::Device& device, const SessionOptions& options, bool measure)
    : device_(device),
      log_(options.log),
      progress_(options.progress),
      reads_(options.tuning != Tuning::off || options.plan_cache != nullptr),
      measures_(measure && options.tuning != Tuning::off),
      most_(options.tuning == Tuning::full ? 16 : 4),
      runs_(options.tuning == Tuning::full ? 30 : 10),
      path_(path_of(options)),
      machine_(describe(device.info())) {
  if (!reads_ || path_.empty()) return;
  std::string why;
  if (!read_.load(path_, why)) say(LogLevel::info, message("the plan cache is not used: ", why));
}

std::string Tuner::choose(const NodeView& node, std::span<const TensorInfo> outputs,
                          std::uint64_t most_workspace) {
  if (!reads_) return "";
  backend::Choices choices = device_.choices(node, outputs, most_);
  if (choices.names.size() < 2) return "";
  std::string question = message(machine_, "\n", choices.group);
  if (most_workspace != UINT64_MAX) question += message("\nworkspace ", most_workspace);
  const std::string key = PlanCache::key_of(question);
  if (std::string choice = known_choice(key); !choice.empty()) return choice;
  if (const std::string_view choice = read_.find(key); !choice.empty()) {
    remember(key, std::string(choice));
    return std::string(choice);
  }
  return measures_ ? this->measure(key, node, outputs, most_workspace, choices.names) : "";
}

std::string Tuner::measure(const std::string& key, const NodeView& node,
                           std::span<const TensorInfo> outputs, std::uint64_t most_workspace,
                           const std::vector<std::string>& names) {
  struct Timed {
    float ms = std::numeric_limits<float>::infinity();
    const std::string* name = nullptr;
  };
  tell("timing layers", place_);
  Timed best, second;
  std::size_t count = 0;
  for (const std::string& name : names) {
    const auto ms = time_alone(device_, node, outputs, {most_workspace, name.c_str(), true}, runs_);
    if (!ms) continue;
    ++count;
    if (*ms < best.ms)
      second = std::exchange(best, {*ms, &name});
    else if (*ms < second.ms)
      second = {*ms, &name};
  }
  if (count == 0) return "";
  say(LogLevel::debug, message("'", node.name, "': ", *best.name, " takes ", 1000.0 * best.ms,
                               " us, the fastest of ", count));
  if (count > 1 && second.ms < best.ms * kClose)
    close_calls_.push_back({key, *best.name, *second.name});
  settle(key, *best.name);
  return *best.name;
}

void Tuner::settle(const std::string& key, const std::string& algorithm) {
  remember(key, algorithm);
  found_.put(key, algorithm);
}

void Tuner::save() {
  if (found_.size() == 0 || path_.empty()) return;
  std::string why;
  if (!found_.save(path_, why))
    say(LogLevel::warning, message("what tuning found is not kept: ", why));
}

void Tuner::tell(const char* stage, double done) const {
  if (progress_.function != nullptr) progress_.function(progress_.user, stage, done);
}

void Tuner::say(LogLevel level, const std::string& text) const {
  if (log_.function != nullptr) log_.function(log_.user, level, text.c_str());
}

void forget_tuning() {
  const std::lock_guard lock(g_mutex);
  known() = PlanCache();
}

}  // namespace skiff::tune
