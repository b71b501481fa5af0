#include "runtime/ops/scatter.h"

#include <cstring>

#include "runtime/ops/dispatch.h"

namespace skiff {
namespace {

// As numpy: unsigned arithmetic wraps, and signed integers do too (through their unsigned twin).
template <typename T, fb::ScatterReduction kReduction>
T combined(T a, T b) noexcept {
  using R = fb::ScatterReduction;
  using C = Compute<T>;
  const C x = load(a), y = load(b);
  if constexpr (kReduction == R::maximum) return x != x ? a : y > x || y != y ? b : a;
  if constexpr (kReduction == R::minimum) return x != x ? a : y < x || y != y ? b : a;
  if constexpr (std::is_integral_v<T>) {
    using U = std::uint64_t;
    const U u = static_cast<U>(x), v = static_cast<U>(y);
    return static_cast<T>(kReduction == R::add ? u + v : u * v);
  } else {
    return static_cast<T>(kReduction == R::add ? x + y : x * y);
  }
}

template <typename T, fb::ScatterReduction kReduction>
void combine(void* to, const void* from, std::int64_t count) {
  auto* y = static_cast<T*>(to);
  const auto* x = static_cast<const T*>(from);
  for (std::int64_t i = 0; i < count; ++i) y[i] = combined<T, kReduction>(y[i], x[i]);
}

template <typename T>
void replace(void* to, const void* from, std::int64_t count) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
}

template <fb::ScatterReduction kReduction>
Combine find(const NodeView& node, DType dtype) {
  return dispatch(node, dtype, NumericTypes{}, [](auto type) -> Combine {
    return combine<typename decltype(type)::type, kReduction>;
  });
}

}  // namespace

Combine find_combine(const NodeView& node, DType dtype, fb::ScatterReduction reduction) {
  using R = fb::ScatterReduction;
  switch (reduction) {
    case R::add:
      return find<R::add>(node, dtype);
    case R::mul:
      return find<R::mul>(node, dtype);
    case R::maximum:
      return find<R::maximum>(node, dtype);
    case R::minimum:
      return find<R::minimum>(node, dtype);
    default:
      break;
  }
  return dispatch(node, dtype_of_size(dtype), SizeTypes{},
                  [](auto type) -> Combine { return replace<typename decltype(type)::type>; });
}

}  // namespace skiff
