#include "runtime/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "platform/clock.h"

namespace skiff::cli {

Progress::Progress(bool wanted) : wanted_(wanted && ::isatty(STDERR_FILENO) == 1) {}

void Progress::show(const char* what, double done) {
  constexpr std::int64_t kBetween = 100'000'000;
  if (!wanted_ || platform::monotonic_ns() - drawn_ < kBetween) return;
  drawn_ = platform::monotonic_ns();
  const auto length = static_cast<std::size_t>(40 * std::clamp(done, 0.0, 1.0));
  fmt::print(stderr, "\r\033[K[{:<40}] {}", std::string(length, '#'), what);
  std::fflush(stderr);
}

void Progress::clear() {
  if (wanted_ && drawn_ != 0) fmt::print(stderr, "\r\033[K");
  drawn_ = 0;
}

}  // namespace skiff::cli
