#include "runtime/plan/orders.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace skiff::plan {
namespace {

/// 1024 * log2(x + 1), linear between powers of two.
std::int64_t scaled_log(std::int64_t x) {
  const auto v = static_cast<std::uint64_t>(x) + 1;
  const int bits = static_cast<int>(std::bit_width(v)) - 1;
  const std::uint64_t mantissa = bits >= 10 ? v >> (bits - 10) : v << (10 - bits);
  return bits * 1024 + static_cast<std::int64_t>(mantissa) - 1024;
}

}  // namespace

Orders::Orders(const Sections& sections, std::pmr::memory_resource& resource)
    : sections_(sections),
      peak_(sections.items.size(), 0, &resource),
      key_(sections.items.size(), 0, &resource),
      order_(sections.items.size(), 0, &resource),
      items_(sections.items.size(), &resource) {
  for (std::size_t i = 0; i < peak_.size(); ++i) {
    const Item& item = sections_.items[i];
    peak_[i] =
        *std::max_element(sections_.load.begin() + item.s0, sections_.load.begin() + item.s1);
  }
}

Orders::Weights Orders::weights(std::int32_t round) {
  constexpr std::int64_t kFirst = 1 << 20, kSecond = 1 << 10;
  switch (round) {  // peak, then lifetime or area, then the rest
    case 0:
      return {kFirst, kSecond, 0, 1, 0};
    case 1:
      return {kFirst, kSecond, 0, kSecond, 0};
    case 2:
      return {kFirst, 0, kSecond, 1, 0};
    case 3:
      return {1, kFirst, 0, kSecond, 0};
    default:
      break;
  }
  const auto next = [this] {
    random_ = random_ * 1664525U + 1013904223U;
    return static_cast<std::int64_t>(random_ >> 22);  // 0..1023
  };
  Weights w{32 * next(), next(), 0, next(), 3 * next()};
  if (round % 2 == 1) std::swap(w.steps, w.sections);
  return w;
}

std::span<const Item> Orders::make(std::int32_t round, std::span<const std::int64_t> failures) {
  const Weights w = weights(round);
  for (std::size_t i = 0; i < key_.size(); ++i) {
    const Item& item = sections_.items[i];
    const std::int64_t failed =
        *std::max_element(failures.begin() + item.s0, failures.begin() + item.s1);
    key_[i] = w.peak * scaled_log(peak_[i]) + w.steps * scaled_log(sections_.steps[i]) +
              w.sections * scaled_log(item.s1 - item.s0) + w.size * scaled_log(item.size) +
              w.failures * scaled_log(failed);
  }
  std::iota(order_.begin(), order_.end(), 0);
  std::sort(order_.begin(), order_.end(), [this](std::int32_t a, std::int32_t b) {
    const std::int64_t left = key_[static_cast<std::size_t>(a)];
    const std::int64_t right = key_[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  });
  for (std::size_t k = 0; k < order_.size(); ++k) {
    items_[k] = sections_.items[static_cast<std::size_t>(order_[k])];
  }
  return items_;
}

}  // namespace skiff::plan
