#include <algorithm>

#include "runtime/session/budget.h"

// Sessions that are made to find out how the real one should be made.
namespace skiff {
namespace {

/// Close calls that are decided in place: each makes a session.
constexpr std::size_t kMostTrials = 32;
constexpr int kRuns = 30;
/// What an alternative must gain to be taken.
constexpr float kGain = 0.99f;

}  // namespace

float Session::Impl::time_on_device(int runs) {
  float ms = 0;
  for (const Segment& segment : segments)
    if (segment.program.get() != nullptr) ms += device->time(segment.program, {}, runs);
  return ms;
}

void Session::Impl::tune_in_place(const Model& model, const SessionOptions& options) {
  std::unique_ptr<Impl> impl = bind_within_limit(model, options);
  if (!impl->device) return;
  impl->materialise();
  float best = impl->time_on_device(kRuns);
  const std::vector<tune::CloseCall> calls = impl->tuner->close_calls();
  const std::size_t trials = std::min(calls.size(), kMostTrials);
  for (std::size_t i = 0; i < trials; ++i) {
    impl->tuner->tell("timing close ones in place",
                      static_cast<double>(i) / static_cast<double>(trials));
    impl->tuner->settle(calls[i].key, calls[i].second);
    impl = nullptr;  // one at a time: each takes the whole memory
    impl = bind_within_limit(model, options);
    impl->materialise();
    const float ms = impl->time_on_device(kRuns);
    const bool better = ms < best * kGain;
    if (better) best = ms;
    impl->tuner->settle(calls[i].key, better ? calls[i].second : calls[i].first);
    impl->tuner->save();
  }
}

}  // namespace skiff
