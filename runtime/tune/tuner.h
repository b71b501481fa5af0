#pragma once

#include <skiff/options.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/backend/device.h"
#include "runtime/tune/plan_cache.h"

// Which of the GPU's algorithms a node gets. What was found stands in the plan cache and, for the
// life of the process, in memory, so that all sessions agree.
namespace skiff::tune {

/// Two algorithms that alone are about equally fast: which is better shows only in the network.
struct CloseCall {
  std::string key, first, second;
};

class Tuner {
 public:
  /// Reads the plan cache the options name. `measure` false: nothing is timed, whatever they say.
  Tuner(backend::Device& device, const SessionOptions& options, bool measure);

  /// The next node that is asked for is at this place of all, 0 to 1: for the caller's progress.
  void reach(double place) noexcept { place_ = place; }

  /// Tells the caller's progress function, if there is one.
  void tell(const char* stage, double done) const;

  /// The algorithm for a node, by what is known or by timing all; empty: the one ranked first.
  /// Those that take more scratch are left out.
  std::string choose(const NodeView& node, std::span<const TensorInfo> outputs,
                     std::uint64_t most_workspace);

  /// Writes what was found by timing. Nothing comes of a failure but a warning in the log.
  void save();
  const std::vector<CloseCall>& close_calls() const noexcept { return close_calls_; }

  /// Settles a close call, for this process and the next save().
  void settle(const std::string& key, const std::string& algorithm);

 private:
  std::string measure(const std::string& key, const NodeView& node,
                      std::span<const TensorInfo> outputs, std::uint64_t most_workspace,
                      const std::vector<std::string>& names);
  void say(LogLevel level, const std::string& text) const;

  backend::Device& device_;
  Log log_;
  Progress progress_;
  double place_ = 0;
  bool reads_, measures_;
  int most_, runs_;
  std::string path_, machine_;
  PlanCache read_, found_;
  std::vector<CloseCall> close_calls_;
};

/// Beside the plan cache: where the GPU module keeps code that it compiled. Empty: nowhere.
std::string code_folder(const SessionOptions& options);

/// Forgets what this process found out: for tests.
void forget_tuning();

}  // namespace skiff::tune
