// libFuzzer entry: any bytes give an imported model or a typed error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "converters/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    skiff::convert::import_onnx_bytes(std::as_bytes(std::span(data, size)), "", {});
  } catch (const skiff::Error&) {
  }
  return 0;
}
