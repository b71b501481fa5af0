#include "runtime/cuda/cudnn/graph.h"

#include "runtime/cuda/dispatch.h"

namespace skiff::cuda::cudnn {

cudnnDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return CUDNN_DATA_FLOAT;
    case DType::float16:
      return CUDNN_DATA_HALF;
    case DType::bfloat16:
      return CUDNN_DATA_BFLOAT16;
    case DType::int8:
      return CUDNN_DATA_INT8;
    case DType::uint8:
      return CUDNN_DATA_UINT8;
    case DType::int32:
      return CUDNN_DATA_INT32;
    default:
      refuse("cuDNN takes no ", dtype, " here");
  }
}

TensorId OperationGraph::tensor(const Shape& shape, DType dtype, bool is_virtual) {
  // Channels-last in memory: the channel's stride is 1, spatial axes are outside of it.
  const int rank = shape.rank();
  std::array<std::int64_t, kMaxRank> extents{}, strides{};
  extents[0] = shape[0];
  extents[1] = shape.back();
  strides[0] = shape.elements(1, rank);
  strides[1] = 1;
  for (int axis = 1; axis + 1 < rank; ++axis) {
    extents[static_cast<std::size_t>(axis + 1)] = shape[axis];
    strides[static_cast<std::size_t>(axis + 1)] = shape.elements(axis + 1, rank);
  }
  const auto count = static_cast<std::size_t>(rank);
  const TensorId id{static_cast<std::int64_t>(tensors_.size()) + 1};
  constexpr std::int64_t kAlignment = 16;
  tensors_.emplace_back(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(dtype))
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::span(extents).first(count))
      .set(CUDNN_ATTR_TENSOR_STRIDES, std::span(strides).first(count))
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id.id)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kAlignment)
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual)
      .finalize();
  return id;
}

void OperationGraph::convolution(TensorId x, TensorId w, TensorId y, const Window& window,
                                 DType sums) {
  const auto axes = [&](const std::array<std::int64_t, 3>& values) {
    return std::span(values).last(static_cast<std::size_t>(window.spatial));
  };
  const Descriptor& parameters =
      parameters_.emplace_back(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)
          .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, data_type(sums))
          .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
          .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{window.spatial})
          .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, axes(window.pad_begin))
          .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, axes(window.pad_end))
          .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, axes(window.stride))
          .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, axes(window.dilation))
          .finalize();
  operations_.emplace_back(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, parameters)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, at(x))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, at(w))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, at(y))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f)
      .finalize();
}

void OperationGraph::add_pointwise(cudnnPointwiseMode_t mode, TensorId x, const TensorId* b,
                                   TensorId y) {
  const Descriptor& parameters = parameters_.emplace_back(CUDNN_BACKEND_POINTWISE_DESCRIPTOR)
                                     .set(CUDNN_ATTR_POINTWISE_MODE, mode)
                                     .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT)
                                     .finalize();
  Descriptor& operation = operations_.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
                              .set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, parameters)
                              .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, at(x))
                              .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, at(y));
  if (b != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, at(*b));
  operation.finalize();
}

void OperationGraph::pointwise(cudnnPointwiseMode_t mode, TensorId x, TensorId y) {
  add_pointwise(mode, x, nullptr, y);
}
void OperationGraph::pointwise(cudnnPointwiseMode_t mode, TensorId x, TensorId b, TensorId y) {
  add_pointwise(mode, x, &b, y);
}

Descriptor OperationGraph::finish() {
  std::vector<cudnnBackendDescriptor_t> operations;
  for (const Descriptor& operation : operations_) operations.push_back(operation.get());
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations.size(),
            operations.data());
  target_.tell_graph(graph);
  graph.finalize();
  return graph;
}

}  // namespace skiff::cuda::cudnn
