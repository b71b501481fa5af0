#include "converters/dynamic/fit.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "runtime/graph/dim_op.h"

namespace skiff::dynamic {
namespace {

using Tokens = std::vector<fb::DimToken>;

// Longer formulas than the loader takes are of no use.
constexpr std::size_t kMaxTokens = 64;
// Formulas are built from the latest sizes and the symbols; older ones rarely help.
constexpr std::size_t kMaxCandidates = 96;

void append(Tokens& tokens, fb::DimOp op, std::int64_t value = 0) {
  tokens.emplace_back(value, op);
}

Tokens with(Tokens tokens, fb::DimOp op, std::int64_t constant) {
  append(tokens, fb::DimOp::constant, constant);
  append(tokens, op);
  return tokens;
}

Tokens join(Tokens a, const Tokens& b, fb::DimOp op) {
  a.insert(a.end(), b.begin(), b.end());
  append(a, op);
  return a;
}

bool holds(const Series& from, const Series& to, fb::DimOp op, std::int64_t constant) {
  for (std::size_t i = 0; i < from.size(); ++i)
    if (apply(op, from[i], constant) != to[i]) return false;
  return true;
}

bool constant(const Series& numbers) {
  return std::adjacent_find(numbers.begin(), numbers.end(), std::not_equal_to<>()) == numbers.end();
}

/// Two samples in which `from` differs.
std::pair<std::size_t, std::size_t> two_samples(const Series& from) {
  const auto [low, high] = std::minmax_element(from.begin(), from.end());
  return {static_cast<std::size_t>(low - from.begin()),
          static_cast<std::size_t>(high - from.begin())};
}

}  // namespace

Fitter::Fitter(std::vector<Series> symbols) {
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    Tokens tokens;
    append(tokens, fb::DimOp::symbol, static_cast<std::int64_t>(i));
    learn(symbols[i], std::move(tokens));
  }
  symbols_ = known_.size();
}

void Fitter::learn(const Series& numbers, Tokens tokens) {
  if (index_.try_emplace(numbers, known_.size()).second)
    known_.push_back({numbers, std::move(tokens), {}});
}

const Fitter::Known* Fitter::find(const Series& numbers) const {
  const auto found = index_.find(numbers);
  return found == index_.end() ? nullptr : &known_[found->second];
}

/// min(known, c) and max(known, c).
std::optional<Tokens> Fitter::clamped(const Known& known, const Series& numbers) const {
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  if (holds(known.numbers, numbers, fb::DimOp::minimum, *most))
    return with(known.tokens, fb::DimOp::minimum, *most);
  if (holds(known.numbers, numbers, fb::DimOp::maximum, *least))
    return with(known.tokens, fb::DimOp::maximum, *least);
  return std::nullopt;
}

/// f(known) with one or two constants: known + c, known * c, (known + b) / c, known * a + b ...
std::optional<Tokens> Fitter::from_one(const Known& known, const Series& numbers) const {
  const auto [low, high] = two_samples(known.numbers);
  const std::int64_t run = known.numbers[high] - known.numbers[low];
  const std::int64_t rise = numbers[high] - numbers[low];
  if (run == 0) return std::nullopt;
  const std::int64_t offset = numbers[low] - known.numbers[low];
  if (offset != 0 && holds(known.numbers, numbers, fb::DimOp::add, offset))
    return with(known.tokens, offset > 0 ? fb::DimOp::add : fb::DimOp::sub, std::abs(offset));
  if (rise % run == 0 && rise != 0) {
    const std::int64_t factor = rise / run;
    const std::int64_t rest = numbers[low] - known.numbers[low] * factor;
    Series scaled = known.numbers;
    for (std::int64_t& number : scaled) number *= factor;
    if (rest == 0 && scaled == numbers) return with(known.tokens, fb::DimOp::mul, factor);
    if (holds(scaled, numbers, fb::DimOp::add, rest))
      return with(with(known.tokens, fb::DimOp::mul, factor),
                  rest > 0 ? fb::DimOp::add : fb::DimOp::sub, std::abs(rest));
  }
  if (auto stopped = clamped(known, numbers)) return stopped;
  if (rise <= 0 || rise > run) return std::nullopt;
  // (known + b) / c: c lies beside run / rise, and b within one step of it.
  const std::int64_t around = run / rise;
  for (std::int64_t c = std::max<std::int64_t>(2, around - 1); c <= around + 2; ++c) {
    if (holds(known.numbers, numbers, fb::DimOp::floor_div, c))
      return with(known.tokens, fb::DimOp::floor_div, c);
    if (holds(known.numbers, numbers, fb::DimOp::ceil_div, c))
      return with(known.tokens, fb::DimOp::ceil_div, c);
    const std::int64_t middle = numbers[low] * c - known.numbers[low];
    for (std::int64_t b = middle; b < middle + c; ++b) {
      Series moved = known.numbers;
      for (std::int64_t& number : moved) number += b;
      if (holds(moved, numbers, fb::DimOp::floor_div, c))
        return with(with(known.tokens, b > 0 ? fb::DimOp::add : fb::DimOp::sub, std::abs(b)),
                    fb::DimOp::floor_div, c);
    }
  }
  return std::nullopt;
}

/// known * other * c, known + other, known - other, other - known, min and max with another one.
std::optional<Tokens> Fitter::from_two(const Known& known, const Series& numbers) const {
  const std::size_t count = numbers.size();
  Series sum(count), difference(count), quotient(count);
  bool divides = true;
  for (std::size_t i = 0; i < count; ++i) {
    sum[i] = numbers[i] - known.numbers[i];
    difference[i] = known.numbers[i] - numbers[i];
    divides = divides && known.numbers[i] != 0 && numbers[i] % known.numbers[i] == 0;
    if (divides) quotient[i] = numbers[i] / known.numbers[i];
  }
  if (const Known* other = find(sum)) return join(known.tokens, other->tokens, fb::DimOp::add);
  if (const Known* other = find(difference))
    return join(known.tokens, other->tokens, fb::DimOp::sub);
  if (!divides) return std::nullopt;
  if (const Known* other = find(quotient)) return join(known.tokens, other->tokens, fb::DimOp::mul);
  for (const Known& other : known_) {
    if (other.numbers[0] == 0 || quotient[0] % other.numbers[0] != 0) continue;
    const std::int64_t factor = quotient[0] / other.numbers[0];
    if (factor > 1 && holds(other.numbers, quotient, fb::DimOp::mul, factor))
      return with(join(known.tokens, other.tokens, fb::DimOp::mul), fb::DimOp::mul, factor);
  }
  return std::nullopt;
}

/// The symbols, then the latest sizes first.
std::vector<const Fitter::Known*> Fitter::candidates() const {
  std::vector<const Known*> list;
  for (std::size_t i = 0; i < symbols_; ++i) list.push_back(&known_[i]);
  for (std::size_t i = known_.size(); i > symbols_ && list.size() < kMaxCandidates; --i)
    list.push_back(&known_[i - 1]);
  return list;
}

std::optional<Tokens> Fitter::search(const Series& numbers) const {
  const std::vector<const Known*> list = candidates();
  for (const auto formula : {&Fitter::from_one, &Fitter::from_two})
    for (const Known* known : list) {
      auto found = (this->*formula)(*known, numbers);
      if (found && found->size() <= kMaxTokens) return found;
    }
  return std::nullopt;
}

void Fitter::suggest_quotient(const Series& known, std::int64_t add, std::int64_t divisor,
                              const Series& numbers) {
  const Known* from = find(known);
  if (from == nullptr || find(numbers) != nullptr || divisor < 1) return;
  Series moved = known;
  for (std::int64_t& number : moved) number += add;
  if (!holds(moved, numbers, fb::DimOp::floor_div, divisor)) return;
  Tokens tokens = from->tokens;
  if (add != 0) tokens = with(tokens, add > 0 ? fb::DimOp::add : fb::DimOp::sub, std::abs(add));
  if (divisor > 1) tokens = with(tokens, fb::DimOp::floor_div, divisor);
  if (tokens.size() <= kMaxTokens) learn(numbers, std::move(tokens));
}

std::optional<std::int64_t> Fitter::fit(const Series& numbers) {
  if (numbers[0] >= 0 && constant(numbers)) return numbers[0];
  if (find(numbers) == nullptr) {
    auto tokens = search(numbers);
    if (!tokens) return std::nullopt;
    learn(numbers, std::move(*tokens));
  }
  Known& known = known_[index_.at(numbers)];
  if (!known.dim) {
    expressions_.emplace_back().postfix = known.tokens;
    known.dim = -static_cast<std::int64_t>(expressions_.size());
  }
  return known.dim;
}

std::int64_t evaluate(std::int64_t dim, std::span<const fb::DimExprT> expressions,
                      std::span<const std::int64_t> symbols) {
  if (dim >= 0) return dim;
  std::vector<std::int64_t> stack;
  for (const fb::DimToken& token : expressions[static_cast<std::size_t>(-(dim + 1))].postfix) {
    if (token.op() == fb::DimOp::constant) {
      stack.push_back(token.value());
    } else if (token.op() == fb::DimOp::symbol) {
      stack.push_back(symbols[static_cast<std::size_t>(token.value())]);
    } else {
      const std::int64_t b = stack.back();
      stack.pop_back();
      stack.back() = apply(token.op(), stack.back(), b);
    }
  }
  return stack.at(0);
}

}  // namespace skiff::dynamic
