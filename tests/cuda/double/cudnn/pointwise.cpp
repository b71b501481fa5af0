#include <algorithm>

#include "tests/cuda/double/cudnn/operations.h"

namespace cuda_double {
namespace {

const Descriptor* x_of(const Descriptor& o) {
  return o.child(CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
}
const Descriptor* b_of(const Descriptor& o) {
  return o.child(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
}
const Descriptor* y_of(const Descriptor& o) {
  return o.child(CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
}

cudnnPointwiseMode_t mode_of(const Descriptor& operation) {
  return operation.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)
      ->get(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_IDENTITY);
}

/// The element of a tensor that broadcasts to the place `index`.
float broadcast(const TensorView& tensor, const std::vector<float>& values, const Dims& index) {
  std::int64_t at = 0;
  for (std::size_t axis = 0; axis < index.size(); ++axis)
    at = at * tensor.dims[axis] + (tensor.dims[axis] == 1 ? 0 : index[axis]);
  return values[static_cast<std::size_t>(at)];
}

float combine(cudnnPointwiseMode_t mode, float a, float b) {
  switch (mode) {
    case CUDNN_POINTWISE_MUL:
      return a * b;
    case CUDNN_POINTWISE_MAX:
      return std::max(a, b);
    case CUDNN_POINTWISE_MIN:
      return std::min(a, b);
    default:
      return a + b;
  }
}

}  // namespace

std::string pointwise_fault(const Descriptor& operation) {
  if (operation.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR) == nullptr ||
      x_of(operation) == nullptr || y_of(operation) == nullptr)
    return "an operand is missing";
  switch (mode_of(operation)) {
    case CUDNN_POINTWISE_ADD:
    case CUDNN_POINTWISE_MUL:
    case CUDNN_POINTWISE_MAX:
    case CUDNN_POINTWISE_MIN:
      if (b_of(operation) == nullptr) return "the second operand is missing";
      break;
    case CUDNN_POINTWISE_RELU_FWD:
      break;
    default:
      return "a mode that the double does not know";
  }
  const TensorView y(*y_of(operation));
  for (const Descriptor* operand : {x_of(operation), b_of(operation)}) {
    if (operand == nullptr) continue;
    const TensorView view(*operand);
    if (view.dims.size() != y.dims.size()) return "ranks";
    for (std::size_t axis = 0; axis < y.dims.size(); ++axis)
      if (view.dims[axis] != 1 && view.dims[axis] != y.dims[axis]) return "extents";
  }
  return "";
}

void run_pointwise(Execution& execution, const Descriptor& operation) {
  const TensorView x(*x_of(operation)), y(*y_of(operation));
  const std::vector<float> a = execution.read(x);
  std::vector<float> result(static_cast<std::size_t>(y.elements()));
  if (mode_of(operation) == CUDNN_POINTWISE_RELU_FWD) {
    for_each_index(y.dims, [&](std::int64_t i, const Dims& index) {
      const float value = broadcast(x, a, index);
      result[static_cast<std::size_t>(i)] = value < 0 ? 0 : value;
    });
  } else {
    const TensorView other(*b_of(operation));
    const std::vector<float> b = execution.read(other);
    for_each_index(y.dims, [&](std::int64_t i, const Dims& index) {
      result[static_cast<std::size_t>(i)] =
          combine(mode_of(operation), broadcast(x, a, index), broadcast(other, b, index));
    });
  }
  execution.write(y, std::move(result));
}

}  // namespace cuda_double
