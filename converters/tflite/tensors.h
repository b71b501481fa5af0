#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/tflite/model.h"

namespace skiff::convert::tfl {

/// DType of a tensor type; none for those Skiff has no element for (text, complex, resources,
/// float8). Packed 4-bit integers are unpacked to int8 when they are read.
DType dtype_of(tflite::TensorType type) noexcept;

/// "complex64"; "type 77" for unknown numbers.
std::string type_name(const tflite::Tensor& tensor);

/// The declared shape with -1 for extents the file leaves open.
std::vector<std::int64_t> declared_dims(const tflite::Tensor& tensor);
/// The declared shape; extents must be known.
Shape declared_shape(const tflite::Tensor& tensor);

/// True when the numbers stored or computed stand for others: it has a scale.
bool is_quantized(const tflite::Tensor& tensor);
/// Parameters for an IR value; checked against the shape (one scale, or one an index of the axis).
fb::QuantizationT quantization_of(const tflite::Tensor& tensor, const std::string& name);

/// What a constant tensor stands for: dense bytes of `dtype`.
struct Constant {
  DType dtype = DType::none;
  Shape shape;
  std::vector<std::byte> bytes;
};

/// Bytes read_constant would make: to be charged before it is called.
std::int64_t constant_bytes(const Model& model, int tensor);
/// The data of a tensor: sparse storage expanded, 4-bit integers unpacked. Throws
/// Error{invalid_model} when there are more or fewer bytes than shape and type ask for.
Constant read_constant(const Model& model, int tensor);
/// scale * (stored - zero point) as float32, per tensor or per axis.
Constant dequantized(const Constant& stored, const fb::QuantizationT& quantization,
                     const std::string& name);

/// Dense bytes of a sparse tensor of `shape` (sparse.cpp). `data` holds its non-zero elements (and
/// the dense parts around them) in traversal order.
std::vector<std::byte> expand_sparse(const tflite::Sparsity& sparsity, const Shape& shape,
                                     std::size_t element_size, std::span<const std::byte> data,
                                     const std::string& name);

}  // namespace skiff::convert::tfl
