#include "runtime/graph/symbols.h"

#include <algorithm>
#include <array>

#include "runtime/core/checked.h"
#include "runtime/graph/dim_op.h"

namespace skiff {
namespace {

constexpr auto kBad = ErrorCode::invalid_model;
constexpr std::size_t kMaxDepth = 32, kMaxTokens = 64;
constexpr std::int64_t kMaxExtent = std::int64_t{1} << 46;

std::size_t symbol_count(const fb::Model& model) noexcept {
  return model.symbols() == nullptr ? 0 : model.symbols()->size();
}
std::size_t expression_count(const fb::Model& model) noexcept {
  return model.exprs() == nullptr ? 0 : model.exprs()->size();
}

using skiff::apply;

struct Interval {
  std::int64_t low = 0, high = 0;
};

bool divides(fb::DimOp op) noexcept {
  return op == fb::DimOp::floor_div || op == fb::DimOp::ceil_div || op == fb::DimOp::mod;
}

/// Holds every result for numbers of a and b.
Interval apply(fb::DimOp op, Interval a, Interval b) {
  require(!divides(op) || b.low >= 1, kBad, "a size is divided by what may be ", b.low);
  if (op == fb::DimOp::mod) return {0, b.high - 1};
  // Every operator is monotone in each operand, so the extremes lie at the corners.
  Interval result{INT64_MAX, INT64_MIN};
  for (std::int64_t x : {a.low, a.high})
    for (std::int64_t y : {b.low, b.high}) {
      const bool product = op == fb::DimOp::mul;
      require(!product || checked_mul(x, y).has_value(), kBad, "sizes overflow");
      const std::int64_t z = apply(op, x, y);
      result = {std::min(result.low, z), std::max(result.high, z)};
    }
  require(result.low >= -kMaxExtent && result.high <= kMaxExtent, kBad, "a size can become ",
          result.high > kMaxExtent ? result.high : result.low);
  return result;
}

Interval bounds_of(const fb::Symbol& symbol) noexcept { return {symbol.min(), symbol.max()}; }

/// Walks a postfix expression. `leaf(op, value)` gives the numbers, apply() combines them.
template <typename Number, typename Leaf>
Number walk(const fb::DimExpr& expression, const Leaf& leaf) {
  std::array<Number, kMaxDepth> stack{};
  std::size_t depth = 0;
  const auto* tokens = expression.postfix();
  require(tokens == nullptr || tokens->size() <= kMaxTokens, kBad,
          "a size expression has more than ", kMaxTokens, " parts");
  for (unsigned i = 0; tokens != nullptr && i < tokens->size(); ++i) {
    const fb::DimToken& token = *tokens->Get(i);
    if (token.op() == fb::DimOp::constant || token.op() == fb::DimOp::symbol) {
      require(depth < kMaxDepth, kBad, "a size expression nests too deeply");
      stack[depth++] = leaf(token.op(), token.value());
      continue;
    }
    require(token.op() <= fb::DimOp::MAX && depth >= 2, kBad, "a size expression is malformed");
    --depth;
    stack[depth - 1] = apply(token.op(), stack[depth - 1], stack[depth]);
  }
  require(depth == 1, kBad, "a size expression is malformed");
  return stack[0];
}

Interval bounds_of(const fb::Model& model, const fb::DimExpr& expression) {
  return walk<Interval>(expression, [&](fb::DimOp op, std::int64_t value) -> Interval {
    if (op == fb::DimOp::constant) {
      require(value >= -kMaxExtent && value <= kMaxExtent, kBad, "a size expression holds ", value);
      return {value, value};
    }
    require(value >= 0 && static_cast<std::uint64_t>(value) < symbol_count(model), kBad,
            "a size expression names symbol ", value, " of ", symbol_count(model));
    return bounds_of(*model.symbols()->Get(static_cast<unsigned>(value)));
  });
}

std::string_view name_of(const fb::Symbol& symbol) noexcept {
  return {symbol.name()->c_str(), symbol.name()->size()};
}

void check_symbol(const fb::Symbol& s) {
  const std::string_view name = name_of(s);
  require(!name.empty(), kBad, "a symbol has no name");
  require(0 <= s.min() && s.min() <= s.opt() && s.opt() <= s.max() && s.max() <= kMaxExtent, kBad,
          "symbol '", name, "' has the bounds ", s.min(), ":", s.opt(), ":", s.max());
  require(s.multiple_of() >= 1, kBad, "symbol '", name, "' must be a multiple of ",
          s.multiple_of());
  require(s.node() == -1 || (s.node() >= 0 && s.multiple_of() == 1), kBad, "symbol '", name,
          "' cannot be what node ", s.node(), " counts in multiples of ", s.multiple_of());
  for (std::int64_t value : {s.min(), s.opt(), s.max()})
    require(value % s.multiple_of() == 0, kBad, "symbol '", name, "' has the bound ", value,
            ", no multiple of ", s.multiple_of());
}

}  // namespace

void Symbols::check(const fb::Model& model) {
  require(symbol_count(model) <= kMaxCount, kBad, "the model has ", symbol_count(model),
          " symbols, at most ", kMaxCount, " are possible");
  for (std::size_t i = 0; i < symbol_count(model); ++i) {
    check_symbol(*model.symbols()->Get(static_cast<unsigned>(i)));
    for (std::size_t j = 0; j < i; ++j) {
      const auto name = name_of(*model.symbols()->Get(static_cast<unsigned>(i)));
      const fb::Symbol& other = *model.symbols()->Get(static_cast<unsigned>(j));
      require(name != name_of(other), kBad, "symbol '", name, "' is declared twice");
      const std::int32_t node = model.symbols()->Get(static_cast<unsigned>(i))->node();
      require(node < 0 || node != other.node(), kBad, "symbols '", name, "' and '", name_of(other),
              "' are set by one node");
    }
  }
  for (std::size_t i = 0; i < expression_count(model); ++i)
    bounds_of(model, *model.exprs()->Get(static_cast<unsigned>(i)));
}

Symbols::Symbols(const fb::Model& model, std::pmr::memory_resource& memory)
    : model_(model), values_(&memory), results_(&memory) {
  values_.reserve(symbol_count(model));
  for (std::size_t i = 0; i < symbol_count(model); ++i) values_.push_back(record(i).max());
  results_.resize(expression_count(model));
  evaluate();
}

const fb::Symbol& Symbols::record(std::size_t symbol) const noexcept {
  return *model_.symbols()->Get(static_cast<unsigned>(symbol));
}
std::string_view Symbols::name(std::size_t symbol) const noexcept {
  return name_of(record(symbol));
}

Symbols::Values Symbols::corner(Corner corner) const noexcept {
  Values values{};
  for (std::size_t i = 0; i < count(); ++i)
    values[i] = corner == Corner::smallest ? record(i).min()
                : corner == Corner::usual  ? record(i).opt()
                                           : record(i).max();
  return values;
}

void Symbols::assign(std::span<const std::int64_t> values) {
  for (std::size_t i = 0; i < count(); ++i) {
    const fb::Symbol& s = record(i);
    require(values[i] >= s.min() && values[i] <= s.max(), ErrorCode::invalid_argument, "symbol '",
            name(i), "' would be ", values[i], ", must be in [", s.min(), ", ", s.max(), "]");
    require(values[i] % s.multiple_of() == 0, ErrorCode::invalid_argument, "symbol '", name(i),
            "' would be ", values[i], ", must be a multiple of ", s.multiple_of());
  }
  std::copy_n(values.begin(), count(), values_.begin());
  evaluate();
}

void Symbols::set(std::int32_t symbol, std::int64_t value) {
  const auto i = static_cast<std::size_t>(symbol);
  require(value >= record(i).min() && value <= record(i).max(), ErrorCode::bad_value, value,
          " results are counted, the model has room for ", record(i).min(), " to ",
          record(i).max());
  values_[i] = value;
  evaluate();
}

void Symbols::evaluate() noexcept {
  for (std::size_t e = 0; e < results_.size(); ++e)
    results_[e] = walk<std::int64_t>(
        *model_.exprs()->Get(static_cast<unsigned>(e)), [&](fb::DimOp op, std::int64_t value) {
          return op == fb::DimOp::constant ? value : values_[static_cast<std::size_t>(value)];
        });
}

const fb::DimExpr& Symbols::expression(std::int64_t dim) const {
  const auto index = static_cast<std::uint64_t>(-(dim + 1));
  require(index < results_.size(), kBad, "a size names expression ", index, " of ",
          results_.size());
  return *model_.exprs()->Get(static_cast<unsigned>(index));
}

std::int64_t Symbols::resolve(std::int64_t dim) const {
  if (dim >= 0) return dim;
  expression(dim);
  return results_[static_cast<std::size_t>(-(dim + 1))];
}

std::int64_t Symbols::upper_bound(std::int64_t dim) const {
  return dim >= 0 ? dim : bounds_of(model_, expression(dim)).high;
}

Symbols::Set Symbols::counted() const noexcept {
  Set set = 0;
  for (std::size_t i = 0; i < count(); ++i)
    if (record(i).node() >= 0) set |= bit(static_cast<std::int32_t>(i));
  return set;
}

Symbols::Set Symbols::counted(std::int64_t dim) const {
  if (dim >= 0) return 0;
  Set set = 0;
  for (const fb::DimToken* token : *expression(dim).postfix())
    if (token->op() == fb::DimOp::symbol) set |= bit(static_cast<std::int32_t>(token->value()));
  return set & counted();
}

std::int32_t Symbols::set_by(std::int32_t node) const noexcept {
  for (std::size_t i = 0; i < count(); ++i)
    if (record(i).node() == node) return static_cast<std::int32_t>(i);
  return -1;
}

std::int32_t Symbols::symbol_of(std::int64_t dim) const noexcept {
  if (dim >= 0) return -1;
  const auto* tokens = expression(dim).postfix();
  const bool plain = tokens->size() == 1 && tokens->Get(0)->op() == fb::DimOp::symbol;
  return plain ? static_cast<std::int32_t>(tokens->Get(0)->value()) : -1;
}

}  // namespace skiff
