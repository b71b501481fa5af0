// libFuzzer entry: any bytes give a model, converted and loaded, or a typed error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "converters/tflite/import_bytes.h"
#include "tests/converters/whole_conversion.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    auto imported = skiff::convert::import_tflite_bytes(std::as_bytes(std::span(data, size)), {});
    skiff::test::convert_imported(std::move(imported.graph), true);
  } catch (const skiff::Error& error) {
    if (error.code() == skiff::ErrorCode::internal) std::abort();
  }
  return 0;
}
