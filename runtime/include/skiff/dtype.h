#pragma once

#include <cstddef>
#include <cstdint>

namespace skiff {

/// Element type of a tensor. The values are those of the file format and never change.
enum class DType : std::uint8_t {
  none = 0,
  float32 = 1,
  float16 = 2,
  bfloat16 = 3,
  float64 = 4,
  int8 = 5,
  uint8 = 6,
  int16 = 7,
  uint16 = 8,
  int32 = 9,
  uint32 = 10,
  int64 = 11,
  uint64 = 12,
  boolean = 13,
};

inline constexpr int kDTypeCount = 14;

/// Size of one element in bytes; 0 for DType::none.
constexpr std::size_t size_of(DType dtype) noexcept {
  constexpr std::size_t sizes[kDTypeCount] = {0, 4, 2, 2, 8, 1, 1, 2, 2, 4, 4, 8, 8, 1};
  return static_cast<std::size_t>(dtype) < kDTypeCount ? sizes[static_cast<std::size_t>(dtype)] : 0;
}

/// Name as numpy writes it ("float32", "bool"); "none" for anything else.
constexpr const char* name_of(DType dtype) noexcept {
  constexpr const char* names[kDTypeCount] = {"none",   "float32", "float16", "bfloat16", "float64",
                                              "int8",   "uint8",   "int16",   "uint16",   "int32",
                                              "uint32", "int64",   "uint64",  "bool"};
  return static_cast<std::size_t>(dtype) < kDTypeCount ? names[static_cast<std::size_t>(dtype)]
                                                       : "none";
}

/// The DType that holds values of C++ type T (float16 and bfloat16 have no C++ type).
template <typename T>
constexpr DType dtype_of() noexcept;
template <>
constexpr DType dtype_of<float>() noexcept {
  return DType::float32;
}
template <>
constexpr DType dtype_of<double>() noexcept {
  return DType::float64;
}
template <>
constexpr DType dtype_of<std::int8_t>() noexcept {
  return DType::int8;
}
template <>
constexpr DType dtype_of<std::uint8_t>() noexcept {
  return DType::uint8;
}
template <>
constexpr DType dtype_of<std::int16_t>() noexcept {
  return DType::int16;
}
template <>
constexpr DType dtype_of<std::uint16_t>() noexcept {
  return DType::uint16;
}
template <>
constexpr DType dtype_of<std::int32_t>() noexcept {
  return DType::int32;
}
template <>
constexpr DType dtype_of<std::uint32_t>() noexcept {
  return DType::uint32;
}
template <>
constexpr DType dtype_of<std::int64_t>() noexcept {
  return DType::int64;
}
template <>
constexpr DType dtype_of<std::uint64_t>() noexcept {
  return DType::uint64;
}
template <>
constexpr DType dtype_of<bool>() noexcept {
  return DType::boolean;
}

}  // namespace skiff
