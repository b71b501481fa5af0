#pragma once

#include <string>

#include "converters/npy/npy.h"

namespace skiff::cli {

/// The one tensor (TensorProto) of a .pb file, as ONNX's test data has them. Builds with tests can
/// read it (onnx_tensor.cpp), others have no protobuf and throw Error{unsupported}
/// (onnx_tensor_none.cpp).
npy::Array read_onnx_tensor(const std::string& path);

}  // namespace skiff::cli
