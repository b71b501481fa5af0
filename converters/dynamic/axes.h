#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "converters/dynamic/dynamic.h"

namespace skiff::dynamic {

/// A value for each symbol.
using Choice = std::vector<std::int64_t>;

/// Whether the bounds are meant for that axis: by the name the model gives it, or as INPUT:AXIS.
bool matches(const Bounds& bounds, const convert::DeclaredInput& input, std::size_t axis);

/// Throws Error{invalid_argument} unless they rise and are multiples of what they must be.
void check_bounds(const Bounds& bounds);

/// A symbol with one possible value is no symbol: the axes get that extent.
void fix_constants(std::vector<convert::DeclaredInput>& inputs, std::vector<Bounds>& bounds);

/// Which axes of the inputs are which symbol.
class Axes {
 public:
  /// Inputs with a `fixed` shape are left out. Throws Error{invalid_argument} for bounds that fit
  /// no axis and for inputs of which only some axes are known.
  Axes(const std::vector<convert::DeclaredInput>& inputs, std::map<std::string, Shape> fixed,
       const std::vector<Bounds>& bounds);

  /// Shapes of all inputs that are not as the model says.
  std::map<std::string, Shape> shapes(const Choice& choice) const;

 private:
  struct Dim {
    std::int64_t extent = 0;
    int symbol = -1;
  };

  void add(const convert::DeclaredInput& input, const std::vector<Bounds>& bounds,
           std::vector<char>& used);

  std::map<std::string, Shape> fixed_;
  std::map<std::string, std::vector<Dim>> inputs_;
};

/// Choices of the symbols, the largest first, the others as unlike each other as the bounds allow;
/// always the same ones. Sizes of 1 are avoided where others are possible: converting with them
/// drops what larger ones need.
std::vector<Choice> choose(const std::vector<Bounds>& bounds, std::size_t count);

}  // namespace skiff::dynamic
