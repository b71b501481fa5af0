#include "runtime/cli/onnx_tensor.h"

#include "converters/onnx/tensor.h"

namespace skiff::cli {

npy::Array read_onnx_tensor(const std::string& path) {
  onnx::Dense tensor = onnx::load_tensor(path);
  return {tensor.dtype, tensor.shape, std::move(tensor.bytes)};
}

}  // namespace skiff::cli
