#pragma once

#include <cstdlib>

namespace skiff::test {

/// Whether tests that can be short or long are to be long (`tests/run.sh --all`).
inline bool thorough() { return std::getenv("SKIFF_LONG") != nullptr; }

}  // namespace skiff::test
