#include "converters/onnx/tensor.h"

#include <cstring>

#include "converters/onnx/external_data.h"
#include "platform/file.h"
#include "runtime/core/checked.h"
#include "runtime/core/error.h"

namespace skiff::onnx {
namespace {

// Enough for any real tensor that stands in a model; external and folded ones are bounded
// elsewhere.
constexpr std::int64_t kMaxConstantBytes = std::int64_t{1} << 33;
constexpr std::size_t kMaxSparseBytes = std::size_t{1} << 28;

struct TypeRow {
  const char* name;
  DType dtype;
};
constexpr TypeRow kTypes[] = {
    {"undefined", DType::none},      {"float", DType::float32},     {"uint8", DType::uint8},
    {"int8", DType::int8},           {"uint16", DType::uint16},     {"int16", DType::int16},
    {"int32", DType::int32},         {"int64", DType::int64},       {"string", DType::none},
    {"bool", DType::boolean},        {"float16", DType::float16},   {"double", DType::float64},
    {"uint32", DType::uint32},       {"uint64", DType::uint64},     {"complex64", DType::none},
    {"complex128", DType::none},     {"bfloat16", DType::bfloat16}, {"float8e4m3fn", DType::none},
    {"float8e4m3fnuz", DType::none}, {"float8e5m2", DType::none},   {"float8e5m2fnuz", DType::none},
    {"uint4", DType::none},          {"int4", DType::none},         {"float4e2m1", DType::none},
    {"float8e8m0", DType::none},     {"uint2", DType::none},        {"int2", DType::none}};
constexpr int kTypeCount = static_cast<int>(std::size(kTypes));

template <typename To, typename Field>
void narrow(const Field& field, std::vector<std::byte>& to) {
  to.resize(static_cast<std::size_t>(field.size()) * sizeof(To));
  std::size_t at = 0;
  for (const auto entry : field) {
    const To value = static_cast<To>(entry);
    std::memcpy(to.data() + at, &value, sizeof(To));
    at += sizeof(To);
  }
}

// Values that stand in the typed fields; the format says which field serves which type.
std::vector<std::byte> typed_values(const TensorProto& t, DType dtype) {
  std::vector<std::byte> bytes;
  switch (dtype) {
    case DType::float32:
      narrow<float>(t.float_data(), bytes);
      break;
    case DType::float64:
      narrow<double>(t.double_data(), bytes);
      break;
    case DType::int64:
      narrow<std::int64_t>(t.int64_data(), bytes);
      break;
    case DType::uint64:
      narrow<std::uint64_t>(t.uint64_data(), bytes);
      break;
    case DType::uint32:
      narrow<std::uint32_t>(t.uint64_data(), bytes);
      break;
    case DType::int32:
      narrow<std::int32_t>(t.int32_data(), bytes);
      break;
    case DType::int16:
      narrow<std::int16_t>(t.int32_data(), bytes);
      break;
    case DType::uint16:
    case DType::float16:
    case DType::bfloat16:
      narrow<std::uint16_t>(t.int32_data(), bytes);
      break;
    case DType::int8:
      narrow<std::int8_t>(t.int32_data(), bytes);
      break;
    case DType::uint8:
    case DType::boolean:
      narrow<std::uint8_t>(t.int32_data(), bytes);
      break;
    case DType::none:
      break;
  }
  return bytes;
}

Shape dims_of(const google::protobuf::RepeatedField<std::int64_t>& dims, const std::string& what) {
  require(dims.size() <= kMaxRank, ErrorCode::unsupported, what, " has rank ", dims.size(),
          ", at most ", kMaxRank, " is possible");
  Shape shape;
  for (std::int64_t extent : dims) shape.push_back(extent);
  return shape;
}

std::size_t bytes_for(DType dtype, const Shape& shape, const std::string& what) {
  const auto bytes = checked_bytes(dtype, shape);
  require(bytes && *bytes <= kMaxConstantBytes, ErrorCode::invalid_model, what, " has the shape ",
          shape, ", which no tensor can have");
  return static_cast<std::size_t>(*bytes);
}

// Where the dense tensor gets entry i of a sparse one, flat.
std::int64_t flat_index(const Dense& indices, std::size_t i, const Shape& shape,
                        const std::string& what) {
  const auto entry = [&](std::size_t at) {
    std::int64_t index;
    std::memcpy(&index, indices.bytes.data() + at * sizeof(index), sizeof(index));
    return index;
  };
  std::int64_t flat = 0;
  if (indices.shape.rank() == 1) {
    flat = entry(i);
  } else {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const std::int64_t index =
          entry(i * static_cast<std::size_t>(shape.rank()) + static_cast<std::size_t>(axis));
      require(index >= 0 && index < shape[axis], ErrorCode::invalid_model, what, " has the index ",
              index, " on axis ", axis, " of ", shape);
      flat = flat * shape[axis] + index;
    }
  }
  require(flat >= 0 && flat < shape.elements(), ErrorCode::invalid_model, what, " has the index ",
          flat, " outside ", shape);
  return flat;
}

}  // namespace

std::optional<DType> find_dtype(int onnx_type) noexcept {
  if (onnx_type <= 0 || onnx_type >= kTypeCount) return std::nullopt;
  const DType dtype = kTypes[onnx_type].dtype;
  return dtype == DType::none ? std::nullopt : std::optional(dtype);
}

const char* onnx_type_name(int onnx_type) noexcept {
  return onnx_type >= 0 && onnx_type < kTypeCount ? kTypes[onnx_type].name : "unknown";
}

DType need_dtype(int onnx_type, const std::string& what) {
  const auto dtype = find_dtype(onnx_type);
  require(dtype.has_value(), ErrorCode::unsupported, what, " has the element type ",
          onnx_type_name(onnx_type), " (", onnx_type, "), which Skiff has no tensors of");
  return *dtype;
}

Dense read_tensor(const TensorProto& tensor, const std::string& folder, const std::string& what) {
  Dense dense;
  dense.dtype = need_dtype(tensor.data_type(), what);
  dense.shape = dims_of(tensor.dims(), what);
  const std::size_t expected = bytes_for(dense.dtype, dense.shape, what);
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    dense.bytes = read_external_data(tensor, folder, expected, what);
  } else if (tensor.has_raw_data()) {
    const auto raw = std::as_bytes(std::span(tensor.raw_data().data(), tensor.raw_data().size()));
    dense.bytes.assign(raw.begin(), raw.end());
  } else {
    dense.bytes = typed_values(tensor, dense.dtype);
  }
  require(dense.bytes.size() == expected, ErrorCode::invalid_model, what, " of shape ", dense.shape,
          " (", dense.dtype, ") holds ", dense.bytes.size(), " bytes, needs ", expected);
  // Kernels trust that a truth value is 0 or 1.
  if (dense.dtype == DType::boolean)
    for (std::byte& value : dense.bytes) value = std::byte(value != std::byte{0});
  return dense;
}

Dense load_tensor(const std::string& path) {
  const platform::File file(path.c_str());
  require(file.size() <= static_cast<std::uint64_t>(kMaxConstantBytes), ErrorCode::unsupported,
          path, " has ", file.size(), " bytes, which is too large for a tensor");
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(bytes)));
  TensorProto tensor;
  require(tensor.ParseFromString(bytes), ErrorCode::invalid_argument, path, " is no ONNX tensor");
  return read_tensor(tensor, "", path);
}

Dense read_sparse(const SparseTensorProto& tensor, const std::string& folder,
                  const std::string& what) {
  const Dense values = read_tensor(tensor.values(), folder, what + " (values)");
  const Dense indices = read_tensor(tensor.indices(), folder, what + " (indices)");
  Dense dense{.dtype = values.dtype, .shape = dims_of(tensor.dims(), what), .bytes = {}};
  const std::size_t bytes = bytes_for(dense.dtype, dense.shape, what);
  require(bytes <= kMaxSparseBytes, ErrorCode::unsupported, what, " has the shape ", dense.shape,
          " once its zeros are written out, which is too large");
  dense.bytes.resize(bytes);
  const std::int64_t count = values.shape.elements();
  const std::int64_t per_index = indices.shape.rank() == 1 ? 1 : dense.shape.rank();
  require(indices.dtype == DType::int64 && indices.shape.elements() == count * per_index,
          ErrorCode::invalid_model, what, " has ", count, " values and indices of shape ",
          indices.shape);
  const std::size_t size = size_of(dense.dtype);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const auto at = static_cast<std::size_t>(flat_index(indices, i, dense.shape, what));
    std::memcpy(dense.bytes.data() + at * size, values.bytes.data() + i * size, size);
  }
  return dense;
}

std::optional<Shape> static_shape(const TensorShapeProto& shape) {
  if (shape.dim_size() > kMaxRank) return std::nullopt;
  Shape result;
  for (const auto& dim : shape.dim()) {
    if (!dim.has_dim_value() || dim.dim_value() < 0) return std::nullopt;
    result.push_back(dim.dim_value());
  }
  return result;
}

}  // namespace skiff::onnx
