#pragma once

#include <array>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/ops/op.h"

namespace skiff {

/// The symbols of a model, its dim expressions, and the value of each for one choice of the
/// symbols. Inputs' shapes set most symbols; some are set by a node that counts its results on each
/// run. Only made from metadata that passed check(), so evaluation can neither overflow nor
/// divide by zero for any choice within the bounds.
class Symbols final : public DimResolver {
 public:
  static constexpr std::size_t kMaxCount = 64;

  /// Bounds and names of the symbols; every expression is well formed and, by interval arithmetic
  /// over the bounds, safe to evaluate. Throws Error{invalid_model}.
  static void check(const fb::Model& model);

  /// Every symbol at its largest. Points into `model`.
  Symbols(const fb::Model& model, std::pmr::memory_resource& memory);

  const fb::Model& metadata() const noexcept { return model_; }
  std::size_t count() const noexcept { return values_.size(); }
  std::span<const std::int64_t> values() const noexcept { return values_; }
  std::string_view name(std::size_t symbol) const noexcept;
  const fb::Symbol& record(std::size_t symbol) const noexcept;

  /// One value a symbol: the smallest, the usual or the largest of each.
  enum class Corner { smallest, usual, largest };
  using Values = std::array<std::int64_t, kMaxCount>;  // count() of them
  Values corner(Corner corner) const noexcept;

  /// Takes other values. Throws Error{invalid_argument} that names the symbol which is out of its
  /// bounds or no multiple of what it must be; nothing changed then.
  void assign(std::span<const std::int64_t> values);

  /// A field marked "dim" for the present values. Throws Error{invalid_model} when it names no
  /// expression.
  std::int64_t resolve(std::int64_t dim) const override;
  /// No choice of the symbols gives more. Throws as resolve().
  std::int64_t upper_bound(std::int64_t dim) const;

  /// A set of symbols, a bit each.
  using Set = std::uint64_t;
  static constexpr Set bit(std::int32_t symbol) noexcept { return Set{1} << symbol; }
  /// Those a node sets; and of these, the ones a dim depends on (throws as resolve()).
  Set counted() const noexcept;
  Set counted(std::int64_t dim) const;
  /// The symbol that node sets; -1: none.
  std::int32_t set_by(std::int32_t node) const noexcept;
  /// One symbol takes what its node counted. Throws Error{bad_value} when that is out of bounds.
  void set(std::int32_t symbol, std::int64_t value);
  /// The symbol a dim is, without any arithmetic; -1: it is something else. For dims of values that
  /// were checked.
  std::int32_t symbol_of(std::int64_t dim) const noexcept;

 private:
  const fb::DimExpr& expression(std::int64_t dim) const;
  void evaluate() noexcept;

  const fb::Model& model_;
  std::pmr::vector<std::int64_t> values_;   // of the symbols
  std::pmr::vector<std::int64_t> results_;  // of the expressions
};

}  // namespace skiff
