#pragma once

#include <functional>
#include <span>

namespace skiff::test {

/// Copies of a file whose metadata holds, one at a time, wrong records: of the model as a whole,
/// its quantisation, its symbols and expressions, its states. Each is given to `visit`.
void damage_records(std::span<const std::byte> file,
                    const std::function<void(std::span<const std::byte>)>& visit);

}  // namespace skiff::test
