#include <cstring>

#include "converters/tflite/tensors.h"
#include "runtime/core/checked.h"
#include "runtime/core/error.h"

namespace skiff::convert::tfl {
namespace {

/// Two's complement nibbles, the low one first, each as one int8.
std::vector<std::byte> unpack_nibbles(std::span<const std::byte> packed, std::size_t count) {
  std::vector<std::byte> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto pair = std::to_integer<unsigned>(packed[i / 2]);
    const auto nibble = static_cast<int>(i % 2 == 0 ? pair & 15u : pair >> 4);
    result[i] = static_cast<std::byte>(nibble < 8 ? nibble : nibble - 16);
  }
  return result;
}

void require_size(std::size_t actual, std::size_t expected, const std::string& name,
                  const Constant& constant) {
  require(actual == expected, ErrorCode::invalid_model, "constant '", name, "' of shape ",
          constant.shape, " (", constant.dtype, ") has ", actual, " bytes, must have ", expected);
}

/// Which scale each element takes: element / inner % scales.
template <typename T>
void dequantize(const Constant& stored, const fb::QuantizationT& quantization, std::size_t inner,
                std::span<float> to) {
  const std::size_t scales = quantization.scale.size();
  for (std::size_t i = 0; i < to.size(); ++i) {
    T number;
    std::memcpy(&number, stored.bytes.data() + i * sizeof(T), sizeof(T));
    const std::size_t entry = scales == 1 ? 0 : i / inner % scales;
    // Differences of small integers are exact in double, and one rounding remains.
    to[i] = static_cast<float>(
        static_cast<double>(quantization.scale[entry]) *
        (static_cast<double>(number) - static_cast<double>(quantization.zero_point[entry])));
  }
}

}  // namespace

Constant read_constant(const Model& model, int index) {
  const tflite::Tensor& tensor = model.tensor(index);
  const std::string name = model.tensor_name(index);
  const auto bytes = static_cast<std::size_t>(constant_bytes(model, index));
  Constant result{.dtype = dtype_of(tensor.type()), .shape = declared_shape(tensor), .bytes = {}};
  const std::span<const std::byte> data = model.data(index);
  const bool packed = tensor.type() == tflite::TensorType::int4;
  if (tensor.sparsity() != nullptr) {
    require(!packed, ErrorCode::unsupported, "constant '", name, "' is sparse and of 4 bits");
    result.bytes =
        expand_sparse(*tensor.sparsity(), result.shape, size_of(result.dtype), data, name);
  } else if (packed) {
    require_size(data.size(), bytes / 2 + bytes % 2, name, result);
    result.bytes = unpack_nibbles(data, bytes);
  } else {
    require_size(data.size(), bytes, name, result);
    result.bytes.assign(data.begin(), data.end());
  }
  return result;
}

Constant dequantized(const Constant& stored, const fb::QuantizationT& quantization,
                     const std::string& name) {
  Constant result{.dtype = DType::float32, .shape = stored.shape, .bytes = {}};
  const auto count = static_cast<std::size_t>(stored.shape.elements());
  std::vector<float> numbers(count);
  const auto inner = quantization.scale.size() == 1
                         ? count
                         : static_cast<std::size_t>(
                               stored.shape.elements(quantization.axis + 1, stored.shape.rank()));
  switch (stored.dtype) {
    case DType::int8:
      dequantize<std::int8_t>(stored, quantization, inner, numbers);
      break;
    case DType::uint8:
      dequantize<std::uint8_t>(stored, quantization, inner, numbers);
      break;
    case DType::int16:
      dequantize<std::int16_t>(stored, quantization, inner, numbers);
      break;
    case DType::int32:
      dequantize<std::int32_t>(stored, quantization, inner, numbers);
      break;
    default:
      fail(ErrorCode::unsupported, "constant '", name, "' of type ", stored.dtype, " is quantised");
  }
  result.bytes = ir::bytes_of(std::span<const float>(numbers));
  return result;
}

}  // namespace skiff::convert::tfl
