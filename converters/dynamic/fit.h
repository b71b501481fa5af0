#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schema/skiff_generated.h"

namespace skiff::dynamic {

/// One number a sample: what a size was in each of several conversions.
using Series = std::vector<std::int64_t>;

/// Finds formulas over the symbols for sizes that were seen at several choices of the symbols. Each
/// formula builds on those found before, so sizes should come in the order they are computed in.
class Fitter {
 public:
  /// A series for each symbol; all of one length.
  explicit Fitter(std::vector<Series> symbols);

  /// A "dim" as the schema has it: the number itself when it never changes, else -(i + 1) for
  /// expressions()[i], which gives exactly these numbers. Nothing when no formula of the kinds
  /// tried does: sums, products, quotients rounded down or up, the smaller or larger one, of
  /// numbers seen before and constants.
  std::optional<std::int64_t> fit(const Series& numbers);

  /// Learns that numbers are (known + add) / divisor, rounded down, if they are; `known` was fitted
  /// before. Few samples cannot tell one such formula from the next.
  void suggest_quotient(const Series& known, std::int64_t add, std::int64_t divisor,
                        const Series& numbers);

  const std::vector<fb::DimExprT>& expressions() const noexcept { return expressions_; }

 private:
  using Tokens = std::vector<fb::DimToken>;

  struct Known {
    Series numbers;
    Tokens tokens;
    std::optional<std::int64_t> dim = {};  // once it was asked for
  };

  std::optional<Tokens> search(const Series& numbers) const;
  std::optional<Tokens> clamped(const Known& known, const Series& numbers) const;
  std::optional<Tokens> from_one(const Known& known, const Series& numbers) const;
  std::optional<Tokens> from_two(const Known& known, const Series& numbers) const;
  std::vector<const Known*> candidates() const;
  const Known* find(const Series& numbers) const;
  void learn(const Series& numbers, Tokens tokens);

  std::vector<Known> known_;  // the symbols first
  std::size_t symbols_ = 0;   // that differ from each other
  std::map<Series, std::size_t> index_;
  std::vector<fb::DimExprT> expressions_;
};

/// The value of a dim for one choice of the symbols.
std::int64_t evaluate(std::int64_t dim, std::span<const fb::DimExprT> expressions,
                      std::span<const std::int64_t> symbols);

}  // namespace skiff::dynamic
