#pragma once

#include <cstddef>
#include <span>

#include "converters/import.h"

namespace skiff::convert {

/// import_tflite() on the bytes of a file.
Imported import_tflite_bytes(std::span<const std::byte> bytes, const ImportOptions& options);

}  // namespace skiff::convert
