#pragma once

#include <functional>
#include <memory>
#include <span>

#include "schema/skiff_generated.h"

namespace skiff::test {

/// A value of the same type and shape that is no constant. (Generated tables of FlatBuffers 1.12
/// cannot be copied.)
std::unique_ptr<fb::ValueT> value_like(const fb::ValueT& value);

/// Copies of a file whose metadata holds, one at a time, wrong records: of the model as a whole,
/// its quantisation, its symbols and expressions, its states. Each is given to `visit`.
void damage_records(std::span<const std::byte> file,
                    const std::function<void(std::span<const std::byte>)>& visit);

}  // namespace skiff::test
