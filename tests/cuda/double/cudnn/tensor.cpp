#include "tests/cuda/double/cudnn/operations.h"
#include "tests/cuda/double/stored_number.h"

namespace cuda_double {
namespace {

cudaDataType stored(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_HALF:
      return CUDA_R_16F;
    case CUDNN_DATA_BFLOAT16:
      return CUDA_R_16BF;
    case CUDNN_DATA_INT8:
      return CUDA_R_8I;
    case CUDNN_DATA_UINT8:
      return CUDA_R_8U;
    case CUDNN_DATA_INT32:
      return CUDA_R_32I;
    default:
      return CUDA_R_32F;
  }
}

std::int64_t place(const Dims& index, const Dims& strides) {
  std::int64_t sum = 0;
  for (std::size_t axis = 0; axis < index.size(); ++axis) sum += index[axis] * strides[axis];
  return sum;
}

}  // namespace

TensorView::TensorView(const Descriptor& descriptor)
    : dims(descriptor.list<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS)),
      strides(descriptor.list<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES)),
      type(descriptor.get(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT)),
      id(descriptor.get<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID, -1)),
      alignment(descriptor.get<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 1)),
      is_virtual(descriptor.get(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false)) {}

std::int64_t TensorView::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : dims) count *= extent;
  return count;
}

std::vector<float> Execution::read(const TensorView& tensor) const {
  if (tensor.is_virtual) return virtual_values.at(tensor.id);
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  const void* from = pointers.at(tensor.id);
  for_each_index(tensor.dims, [&](std::int64_t i, const Dims& index) {
    values[static_cast<std::size_t>(i)] =
        load(stored(tensor.type), from, place(index, tensor.strides));
  });
  return values;
}

void Execution::write(const TensorView& tensor, std::vector<float> values) {
  if (tensor.is_virtual) {
    for (float& value : values) {
      char bits[sizeof(float)];
      store(stored(tensor.type), bits, 0, value);
      value = load(stored(tensor.type), bits, 0);
    }
    virtual_values[tensor.id] = std::move(values);
    return;
  }
  void* to = pointers.at(tensor.id);
  for_each_index(tensor.dims, [&](std::int64_t i, const Dims& index) {
    store(stored(tensor.type), to, place(index, tensor.strides),
          values[static_cast<std::size_t>(i)]);
  });
}

}  // namespace cuda_double
