#include <cmath>
#include <cstring>

#include "converters/ir/graph.h"
#include "runtime/core/half.h"

namespace skiff::ir {
namespace {

template <typename To, typename From>
std::vector<To> widen(std::span<const std::byte> bytes) {
  std::vector<To> result(bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < result.size(); ++i) {
    From number;
    std::memcpy(&number, bytes.data() + i * sizeof(From), sizeof(From));
    result[i] = static_cast<To>(number);
  }
  return result;
}

template <float (*Decode)(std::uint16_t) noexcept>
std::vector<double> decode(std::span<const std::byte> bytes) {
  std::vector<double> result;
  for (std::uint16_t bits : widen<std::uint16_t, std::uint16_t>(bytes))
    result.push_back(static_cast<double>(Decode(bits)));
  return result;
}

template <typename To>
std::vector<To> from_integers(const Value& value) {
  const std::span<const std::byte> bytes = *value.constant;
  switch (value.dtype) {
    case DType::int8:
      return widen<To, std::int8_t>(bytes);
    case DType::uint8:
      return widen<To, std::uint8_t>(bytes);
    case DType::int16:
      return widen<To, std::int16_t>(bytes);
    case DType::uint16:
      return widen<To, std::uint16_t>(bytes);
    case DType::int32:
      return widen<To, std::int32_t>(bytes);
    case DType::uint32:
      return widen<To, std::uint32_t>(bytes);
    case DType::int64:
      return widen<To, std::int64_t>(bytes);
    case DType::uint64:
      return widen<To, std::uint64_t>(bytes);
    case DType::boolean:
      return widen<To, std::uint8_t>(bytes);
    default:
      fail(ErrorCode::internal, "constant '", value.name, "' is no integer");
  }
}

}  // namespace

std::vector<double> numbers(const Value& value) {
  require(value.constant.has_value(), ErrorCode::unsupported, "value '", value.name,
          "' must be known at conversion");
  switch (value.dtype) {
    case DType::float32:
      return widen<double, float>(*value.constant);
    case DType::float64:
      return widen<double, double>(*value.constant);
    case DType::float16:
      return decode<half_to_float>(*value.constant);
    case DType::bfloat16:
      return decode<bfloat16_to_float>(*value.constant);
    default:
      return from_integers<double>(value);
  }
}

std::vector<std::int64_t> integers(const Value& value) {
  require(value.constant.has_value(), ErrorCode::unsupported, "value '", value.name,
          "' must be known at conversion");
  switch (value.dtype) {
    case DType::float32:
    case DType::float64:
    case DType::float16:
    case DType::bfloat16: {
      std::vector<std::int64_t> result;
      for (double number : numbers(value)) {
        require(number == std::floor(number) && std::abs(number) < 9.0e15, ErrorCode::invalid_model,
                "value '", value.name, "' holds ", number, " where a whole number is needed");
        result.push_back(static_cast<std::int64_t>(number));
      }
      return result;
    }
    default:
      return from_integers<std::int64_t>(value);
  }
}

std::span<const float> floats_of(const Value& value) {
  return {reinterpret_cast<const float*>(value.constant->data()),
          value.constant->size() / sizeof(float)};
}

}  // namespace skiff::ir
