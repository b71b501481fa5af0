#pragma once

#include "runtime/ops/op.h"

namespace skiff {

/// Names of the schema's enumerators, "unknown" for numbers beyond this version.
const char* name_of(fb::Attrs attrs) noexcept;
const char* name_of(fb::UnaryFunction function) noexcept;
const char* name_of(fb::BinaryFunction function) noexcept;
const char* name_of(fb::ReduceFunction function) noexcept;

}  // namespace skiff
