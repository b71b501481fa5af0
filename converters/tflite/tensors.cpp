#include "converters/tflite/tensors.h"

#include <algorithm>

#include "runtime/core/checked.h"
#include "runtime/core/error.h"

namespace skiff::convert::tfl {

DType dtype_of(tflite::TensorType type) noexcept {
  switch (type) {
    case tflite::TensorType::float32:
      return DType::float32;
    case tflite::TensorType::float16:
      return DType::float16;
    case tflite::TensorType::bfloat16:
      return DType::bfloat16;
    case tflite::TensorType::float64:
      return DType::float64;
    case tflite::TensorType::int4:
    case tflite::TensorType::int8:
      return DType::int8;
    case tflite::TensorType::uint8:
      return DType::uint8;
    case tflite::TensorType::int16:
      return DType::int16;
    case tflite::TensorType::uint16:
      return DType::uint16;
    case tflite::TensorType::int32:
      return DType::int32;
    case tflite::TensorType::uint32:
      return DType::uint32;
    case tflite::TensorType::int64:
      return DType::int64;
    case tflite::TensorType::uint64:
      return DType::uint64;
    case tflite::TensorType::boolean:
      return DType::boolean;
    default:
      return DType::none;
  }
}

std::string type_name(const tflite::Tensor& tensor) {
  const std::string_view name = tflite::EnumNameTensorType(tensor.type());
  return name.empty() ? message("type ", static_cast<int>(tensor.type())) : std::string(name);
}

std::vector<std::int64_t> declared_dims(const tflite::Tensor& tensor) {
  std::vector<std::int64_t> dims = to_list(tensor.shape());
  const std::vector<std::int64_t> signature = to_list(tensor.shape_signature());
  for (std::size_t i = 0; i < signature.size(); ++i)
    if (signature[i] < 0) dims[i] = -1;
  return dims;
}

Shape declared_shape(const tflite::Tensor& tensor) {
  Shape shape;
  for (std::int64_t extent : to_list(tensor.shape())) {
    require(extent >= 0, ErrorCode::invalid_model, "TFLite file: a constant has extent ", extent);
    shape.push_back(extent);
  }
  return shape;
}

bool is_quantized(const tflite::Tensor& tensor) {
  const tflite::Quantization* quantization = tensor.quantization();
  return quantization != nullptr &&
         (length(quantization->scale()) > 0 || quantization->details_type() != 0);
}

fb::QuantizationT quantization_of(const tflite::Tensor& tensor, const std::string& name) {
  const tflite::Quantization& stored = *tensor.quantization();
  require(stored.details_type() == 0, ErrorCode::unsupported, "tensor '", name,
          "' is quantised by blocks or several axes");
  fb::QuantizationT result;
  result.scale.assign(stored.scale()->begin(), stored.scale()->end());
  result.zero_point = to_list(stored.zero_point());
  result.axis = stored.axis();
  if (result.zero_point.empty()) result.zero_point.assign(result.scale.size(), 0);
  require(result.zero_point.size() == result.scale.size(), ErrorCode::invalid_model, "tensor '",
          name, "' has ", result.scale.size(), " scales and ", result.zero_point.size(),
          " zero points");
  if (result.scale.size() > 1) {
    const std::vector<std::int64_t> dims = to_list(tensor.shape());
    require(result.axis >= 0 && static_cast<std::size_t>(result.axis) < dims.size() &&
                dims[static_cast<std::size_t>(result.axis)] ==
                    static_cast<std::int64_t>(result.scale.size()),
            ErrorCode::invalid_model, "tensor '", name, "' has ", result.scale.size(),
            " scales along axis ", result.axis);
  }
  return result;
}

std::int64_t constant_bytes(const Model& model, int index) {
  const tflite::Tensor& tensor = model.tensor(index);
  const std::string name = model.tensor_name(index);
  const DType dtype = dtype_of(tensor.type());
  require(dtype != DType::none, ErrorCode::unsupported, "constant '", name, "' is of type ",
          type_name(tensor));
  require(tensor.external_buffer() == 0, ErrorCode::unsupported, "constant '", name,
          "' lies in another file");
  const auto bytes = checked_bytes(dtype, declared_shape(tensor));
  require(bytes.has_value(), ErrorCode::invalid_model, "constant '", name, "' of shape ",
          declared_shape(tensor), " is too large");
  return *bytes;
}

}  // namespace skiff::convert::tfl
