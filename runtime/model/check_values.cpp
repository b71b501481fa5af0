#include <algorithm>

#include "runtime/core/error.h"
#include "runtime/model/checks.h"
#include "runtime/model/graph_builder.h"

// Values and variables of a file: types, shapes, quantisation, and the buffers they start as.
namespace skiff::model {
namespace {

constexpr auto kBad = ErrorCode::invalid_model;

void check_quantization(const fb::Quantization& q, const TensorInfo& info) {
  const std::size_t scales = length(q.scale());
  require(q.block_size() >= 0, kBad, "value '", info.name, "': negative quantisation block");
  if (scales > 1) {
    require(q.axis() >= 0 && q.axis() < info.shape.rank(), kBad, "value '", info.name,
            "': quantisation axis ", q.axis(), " of a tensor of rank ", info.shape.rank());
    require(q.block_size() > 0 || static_cast<std::int64_t>(scales) == info.shape[q.axis()], kBad,
            "value '", info.name, "': ", scales, " scales for ", info.shape[q.axis()], " channels");
  }
  require(length(q.zero_point()) == 0 || length(q.zero_point()) == scales, kBad, "value '",
          info.name, "': as many zero points as scales are needed");
}

/// Sets name, type, the shape for every symbol at its largest, and the most bytes any choice needs.
GraphValue read_tensor(const char* what, const flatbuffers::String* name, fb::DType dtype,
                       const flatbuffers::Vector<std::int64_t>* dims, const Symbols* symbols) {
  GraphValue value;
  TensorInfo& info = value.info;
  info.name = text(name);
  require(dtype != fb::DType::none && dtype <= fb::DType::MAX, kBad, what, " '", info.name,
          "' has no known element type");
  info.dtype = static_cast<DType>(dtype);
  require(length(dims) <= static_cast<std::size_t>(kMaxRank), kBad, what, " '", info.name,
          "' has rank ", length(dims), ", at most ", kMaxRank, " is possible");
  Shape largest;
  for (std::int64_t dim : numbers(dims)) {
    if (dim < 0) value.dims = dims;
    require(dim >= 0 || symbols != nullptr, kBad, what, " '", info.name,
            "' has an extent that is an expression, but the model has no symbols");
    info.shape.push_back(dim >= 0 ? dim : symbols->resolve(dim));
    largest.push_back(dim >= 0 ? dim : std::max<std::int64_t>(0, symbols->upper_bound(dim)));
  }
  require(checked_bytes(info.dtype, info.shape).has_value(), kBad, what, " '", info.name,
          "' of shape ", info.shape, " is too large");
  const auto bytes = checked_bytes(info.dtype, largest);
  require(bytes.has_value(), kBad, what, " '", info.name, "' could grow to ", largest,
          ", which is too large");
  value.max_bytes = *bytes;
  return value;
}

}  // namespace

GraphValue read_value(const fb::Model& model, const fb::Value& record, const Symbols* symbols) {
  GraphValue value = read_tensor("value", record.name(), record.dtype(), record.dims(), symbols);
  TensorInfo& info = value.info;
  if (record.quantization() != nullptr) {
    check_quantization(*record.quantization(), info);
    info.quantization = record.quantization();
  }
  if (record.buffer() == -1) return value;
  require(
      record.buffer() >= 0 && static_cast<std::size_t>(record.buffer()) < length(model.buffers()),
      kBad, "value '", info.name, "' names buffer ", record.buffer(), " of ",
      length(model.buffers()));
  const std::uint64_t size = model.buffers()->Get(static_cast<unsigned>(record.buffer()))->size();
  require(value.dims == nullptr, kBad, "constant '", info.name, "' has no fixed shape");
  require(size == static_cast<std::uint64_t>(value.max_bytes), kBad, "constant '", info.name,
          "' has ", size, " bytes, its shape ", info.shape, " needs ", value.max_bytes);
  value.buffer = record.buffer();
  info.constant = true;
  return value;
}

GraphValue read_variable(const fb::Model& model, const fb::Variable& record, const Symbols* symbols,
                         GraphVariable& variable) {
  GraphValue value = read_tensor("variable", record.name(), record.dtype(), record.dims(), symbols);
  const TensorInfo& info = value.info;
  if (record.initial_buffer() == -1) return value;
  require(value.dims == nullptr, kBad, "variable '", info.name,
          "' has an initial value, but no fixed shape");
  require(record.initial_buffer() >= 0 &&
              static_cast<std::size_t>(record.initial_buffer()) < length(model.buffers()),
          kBad, "variable '", info.name, "' starts as buffer ", record.initial_buffer(), " of ",
          length(model.buffers()));
  const auto* buffer = model.buffers()->Get(static_cast<unsigned>(record.initial_buffer()));
  require(buffer->size() == static_cast<std::uint64_t>(value.max_bytes), kBad,
          "the initial value of variable '", info.name, "' has the wrong size");
  variable.initial_buffer = record.initial_buffer();
  return value;
}

}  // namespace skiff::model
