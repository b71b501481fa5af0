#pragma once

#include <skiff/skiff.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace skiff::test {

/// Counts of what became of hostile files.
struct Outcomes {
  std::size_t ran = 0;
  std::map<ErrorCode, std::size_t> refused;
  double slowest_s = 0;

  std::size_t count() const;
  std::string text() const;  ///< e.g. "ran 12, invalid_model 300, slowest 0.01 s"
};

/// Loads, binds and runs, each within 64 MiB. Adds to `outcomes`; whatever is neither success nor a
/// typed error other than `internal` fails the test. `digests` as in LoadOptions.
void try_file(std::span<const std::byte> file, Outcomes& outcomes, bool digests = true);

}  // namespace skiff::test
