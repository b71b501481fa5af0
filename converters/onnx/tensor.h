#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <skiff/dtype.h>
#include <skiff/shape.h>

#include "converters/onnx/onnx.pb.h"

namespace skiff::onnx {

/// A tensor as the graph takes it: dense bytes in host order.
struct Dense {
  DType dtype = DType::none;
  Shape shape;
  std::vector<std::byte> bytes;
};

/// TensorProto.data_type as DType; nothing for strings, complex numbers and types under 8 bits.
std::optional<DType> find_dtype(int onnx_type) noexcept;
/// The format's name of a type, for messages.
const char* onnx_type_name(int onnx_type) noexcept;
/// find_dtype, or Error{unsupported} that names the type and `what`.
DType need_dtype(int onnx_type, const std::string& what);

/// Dense bytes of a tensor, read from the model or from external data beneath `folder` (empty: no
/// external data allowed). `what` names the tensor in messages. Throws Error{invalid_model} when
/// counts do not fit the shape, Error{unsupported} for types without a DType.
Dense read_tensor(const TensorProto& tensor, const std::string& folder, const std::string& what);
/// The same of a file that holds one tensor and nothing else, as ONNX's test data are stored.
Dense load_tensor(const std::string& path);
/// The same as read_tensor for the sparse form (COO with flat or per-axis indices).
Dense read_sparse(const SparseTensorProto& tensor, const std::string& folder,
                  const std::string& what);

/// Static extents of a shape; nothing when an extent is symbolic, unknown or the rank above 8.
std::optional<Shape> static_shape(const TensorShapeProto& shape);

}  // namespace skiff::onnx
