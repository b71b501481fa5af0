#include "runtime/cli/onnx_tensor.h"
#include "runtime/core/error.h"

namespace skiff::cli {

npy::Array read_onnx_tensor(const std::string& path) {
  fail(ErrorCode::unsupported, path, ": only builds with tests read .pb; make it a .npy");
}

}  // namespace skiff::cli
