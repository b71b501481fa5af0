#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "runtime/lower/bind.h"

namespace skiff {

/// A copy of a value between the memories of host and device.
struct Border {
  std::int32_t value = -1;
  std::int32_t step = -1;  ///< right before it; the number of steps: at the end
  Space to = Space::host;
};

/// The copies that a bound graph needs, in the order of their steps: a value is copied before the
/// first step of the device that reads it, or before the first steps in a row of the host's with
/// one that does; an output of the device right after its step. `shared_io`: the device reads
/// inputs and writes outputs where the host has them.
std::pmr::vector<Border> find_borders(const Graph& graph, const Binding& binding, bool shared_io,
                                      std::pmr::memory_resource& memory);

/// A value that lies where the host put it for the device too.
inline bool is_shared(const GraphValue& value, bool shared_io) noexcept {
  return shared_io && (value.is_input || value.is_output);
}

}  // namespace skiff
