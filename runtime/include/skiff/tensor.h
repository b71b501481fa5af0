#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

#include <skiff/dtype.h>
#include <skiff/export.h>
#include <skiff/shape.h>

namespace skiff {

/// real = scale * (stored - zero_point); empty spans: not quantised. One entry, or one per index
/// along `axis`. Points into the model.
struct Quantization {
  std::span<const float> scale;
  std::span<const std::int64_t> zero_point;
  int axis = 0;
};

/// What a model says of one of its inputs or outputs. Points into the model.
struct TensorDesc {
  std::string_view name;
  DType dtype = DType::none;
  Shape shape;
  Quantization quantization;
};

/// An input or output of a session: a view of memory that the session owns, dense and row-major,
/// valid as long as the session. Copying a Tensor copies the view.
class SKIFF_API Tensor {
 public:
  Tensor(const TensorDesc& desc, std::byte* data) noexcept : desc_(desc), data_(data) {}

  std::string_view name() const noexcept { return desc_.name; }
  DType dtype() const noexcept { return desc_.dtype; }
  const Shape& shape() const noexcept { return desc_.shape; }
  const Quantization& quantization() const noexcept { return desc_.quantization; }
  const TensorDesc& desc() const noexcept { return desc_; }

  /// All bytes, elements() * size_of(dtype()) of them.
  std::span<std::byte> bytes() const noexcept {
    return {data_, static_cast<std::size_t>(desc_.shape.elements()) * size_of(desc_.dtype)};
  }
  /// The elements. Throws Error{invalid_argument} when T is not the tensor's element type.
  template <typename T>
  std::span<T> values() const {
    check_type(dtype_of<std::remove_const_t<T>>());
    return {reinterpret_cast<T*>(data_), static_cast<std::size_t>(desc_.shape.elements())};
  }

 private:
  void check_type(DType wanted) const;

  TensorDesc desc_;
  std::byte* data_;
};

}  // namespace skiff
