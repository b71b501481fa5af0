#include <algorithm>
#include <set>

#include "converters/dynamic/axes.h"

namespace skiff::dynamic {
namespace {

class Chooser {
 public:
  explicit Chooser(const std::vector<Bounds>& bounds) : bounds_(bounds) {}

  std::vector<Choice> choices(std::size_t count) {
    std::vector<Choice> result{largest()};
    std::set<Choice> seen{result[0]};
    for (int attempt = 0; attempt < 200 && result.size() < count; ++attempt) {
      Choice choice;
      for (const Bounds& b : bounds_) choice.push_back(pick(b));
      if (distinct(choice) < distinct_possible() && attempt < 100) continue;
      if (seen.insert(choice).second) result.push_back(std::move(choice));
    }
    return result;
  }

 private:
  Choice largest() const {
    Choice choice;
    for (const Bounds& b : bounds_) choice.push_back(b.max);
    return choice;
  }

  std::int64_t pick(const Bounds& b) {
    const std::int64_t low = b.max >= 3 ? std::max<std::int64_t>(b.min, 2) : b.min;
    const std::int64_t first = (low + b.multiple_of - 1) / b.multiple_of;
    const std::int64_t last = b.max / b.multiple_of;
    const auto span = static_cast<std::uint64_t>(last - first + 1);
    return (first + static_cast<std::int64_t>(next() % span)) * b.multiple_of;
  }

  static std::size_t distinct(const Choice& choice) {
    return std::set<std::int64_t>(choice.begin(), choice.end()).size();
  }
  std::size_t distinct_possible() const {
    std::size_t possible = 0;
    for (const Bounds& b : bounds_) possible += b.max > b.min ? 1 : 0;
    return std::max<std::size_t>(possible, 1);
  }

  /// splitmix64 (Steele, Lea, Flood 2014).
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  const std::vector<Bounds>& bounds_;
  std::uint64_t state_ = 0;
};

}  // namespace

std::vector<Choice> choose(const std::vector<Bounds>& bounds, std::size_t count) {
  return Chooser(bounds).choices(count);
}

}  // namespace skiff::dynamic
