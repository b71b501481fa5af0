#include "runtime/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "platform/clock.h"

namespace skiff::cli {

Progress::Progress(const char* what, bool wanted)
    : what_(what), wanted_(wanted && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (wanted_ && drawn_ != 0) fmt::print(stderr, "\r\033[K");
}

void Progress::show(double done) {
  constexpr std::int64_t kBetween = 100'000'000;
  if (!wanted_ || platform::monotonic_ns() - drawn_ < kBetween) return;
  drawn_ = platform::monotonic_ns();
  const auto length = static_cast<std::size_t>(40 * std::clamp(done, 0.0, 1.0));
  fmt::print(stderr, "\r{} [{:<40}]", what_, std::string(length, '#'));
}

Count::Count() : wanted_(::isatty(STDERR_FILENO) == 1) {}

void Count::add(const char* what) {
  ++count_;
  if (wanted_) fmt::print(stderr, "\r{} {}", count_, what);
}

void Count::end() {
  if (wanted_ && count_ > 0) fmt::print(stderr, "\r\033[K");
  count_ = 0;
}

}  // namespace skiff::cli
