#pragma once

#include <cstddef>
#include <string_view>

#include <skiff/dtype.h>
#include <skiff/shape.h>

#include "runtime/core/checked.h"
#include "schema/skiff_generated.h"

namespace skiff {

/// What is known of a value before it is computed. Owns nothing: name and quantisation lie in the
/// model's metadata.
struct TensorInfo {
  DType dtype = DType::none;
  Shape shape;
  std::string_view name;
  const fb::Quantization* quantization = nullptr;  ///< null: none
  bool constant = false;                           ///< its bytes are known at load
  /// What the bytes of a constant are that is taken as float32: a 16-bit float; none: as dtype
  /// says.
  DType stored = DType::none;

  std::int64_t elements() const noexcept { return shape.elements(); }
  /// Bytes of the dense tensor. Only for shapes that were checked (checked_bytes).
  std::int64_t bytes() const noexcept {
    return shape.elements() * static_cast<std::int64_t>(size_of(dtype));
  }
};

}  // namespace skiff
