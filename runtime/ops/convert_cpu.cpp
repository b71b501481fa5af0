#include "runtime/ops/convert.h"

#include "runtime/ops/dispatch.h"
#include "runtime/ops/unary_math.h"

namespace skiff {
namespace {

template <typename To, typename From>
To convert_one(From stored) noexcept {
  const auto value = load(stored);
  if constexpr (std::is_same_v<To, bool>) {
    return value != 0;
  } else if constexpr (std::is_integral_v<To>) {
    if constexpr (std::is_floating_point_v<decltype(value)>)
      return saturate_to<To>(value);
    else
      return static_cast<To>(value);
  } else {
    return static_cast<To>(static_cast<Compute<To>>(value));
  }
}

template <typename From, typename To>
void convert(const void* from, void* to, std::int64_t count) {
  const From* x = static_cast<const From*>(from);
  To* y = static_cast<To*>(to);
  for (std::int64_t i = 0; i < count; ++i) y[i] = convert_one<To>(x[i]);
}

/// Loading a byte that is neither 0 nor 1 as bool is undefined: bools are read as bytes != 0.
template <typename To>
void convert_bool(const void* from, void* to, std::int64_t count) {
  const auto* x = static_cast<const std::uint8_t*>(from);
  To* y = static_cast<To*>(to);
  for (std::int64_t i = 0; i < count; ++i)
    y[i] = convert_one<To>(static_cast<std::uint8_t>(x[i] != 0));
}

}  // namespace

Convert find_convert(const NodeView& node, DType from, DType to) {
  return dispatch(node, to, AllTypes{}, [&](auto to_type) {
    using To = typename decltype(to_type)::type;
    return dispatch(node, from, AllTypes{}, [](auto from_type) -> Convert {
      using From = typename decltype(from_type)::type;
      if constexpr (std::is_same_v<From, bool>)
        return convert_bool<To>;
      else
        return convert<From, To>;
    });
  });
}

}  // namespace skiff
