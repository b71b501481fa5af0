#include "converters/dynamic/axes.h"

#include <algorithm>

#include "runtime/core/error.h"

namespace skiff::dynamic {
namespace {

using convert::DeclaredInput;

std::string names(const std::vector<DeclaredInput>& inputs) {
  std::string text;
  for (const DeclaredInput& input : inputs)
    for (std::size_t axis = 0; axis < input.dims.size(); ++axis) {
      if (input.dims[axis].extent >= 0) continue;
      text += text.empty() ? "" : ", ";
      text += input.name + ":" + std::to_string(axis);
      if (!input.dims[axis].symbol.empty()) text += " (" + input.dims[axis].symbol + ")";
    }
  return text.empty() ? "no open axes" : text;
}

bool changes(const DeclaredInput& input, std::size_t axis, const std::vector<Bounds>& bounds) {
  const std::int64_t extent = input.dims[axis].extent;
  return extent >= 0 && std::any_of(bounds.begin(), bounds.end(), [&](const Bounds& b) {
           return (b.min != extent || b.max != extent) && matches(b, input, axis);
         });
}

}  // namespace

bool matches(const Bounds& bounds, const DeclaredInput& input, std::size_t axis) {
  const DeclaredInput::Dim& dim = input.dims[axis];
  if (dim.extent < 0 && bounds.symbol == dim.symbol) return true;
  // "a:0,b:0" means both axes.
  const std::string place = "," + input.name + ":" + std::to_string(axis) + ",";
  return ("," + bounds.symbol + ",").find(place) != std::string::npos;
}

void check_bounds(const Bounds& b) {
  require(0 < b.min && b.min <= b.opt && b.opt <= b.max, ErrorCode::invalid_argument, "--dyn ",
          b.symbol, "=", b.min, ":", b.opt, ":", b.max, ": should be MIN:OPT:MAX, rising from 1");
  for (std::int64_t value : {b.min, b.opt, b.max})
    require(b.multiple_of == 0 || value % b.multiple_of == 0, ErrorCode::invalid_argument, "--dyn ",
            b.symbol, ": ", value, " is no multiple of ", b.multiple_of);
}

void fix_constants(std::vector<DeclaredInput>& inputs, std::vector<Bounds>& bounds) {
  for (DeclaredInput& input : inputs)
    for (std::size_t axis = 0; axis < input.dims.size(); ++axis) {
      DeclaredInput::Dim& dim = input.dims[axis];
      for (const Bounds& b : bounds)
        if (b.min == b.max && matches(b, input, axis)) dim = {b.min, {}};
    }
  std::erase_if(bounds, [](const Bounds& b) { return b.min == b.max; });
}

Axes::Axes(const std::vector<DeclaredInput>& inputs, std::map<std::string, Shape> fixed,
           const std::vector<Bounds>& bounds)
    : fixed_(std::move(fixed)) {
  std::vector<char> used(bounds.size(), 0);
  for (const DeclaredInput& input : inputs) {
    if (fixed_.contains(input.name)) continue;
    add(input, bounds, used);
  }
  for (std::size_t s = 0; s < bounds.size(); ++s)
    require(used[s] != 0, ErrorCode::invalid_argument, "--dyn ", bounds[s].symbol,
            ": no input has such an axis; there are ", names(inputs));
}

std::map<std::string, Shape> Axes::shapes(const Choice& choice) const {
  std::map<std::string, Shape> result = fixed_;
  for (const auto& [name, dims] : inputs_) {
    Shape& shape = result[name];
    for (const auto& [extent, symbol] : dims)
      shape.push_back(symbol < 0 ? extent : choice[static_cast<std::size_t>(symbol)]);
  }
  return result;
}

void Axes::add(const DeclaredInput& input, const std::vector<Bounds>& bounds,
               std::vector<char>& used) {
  std::vector<Dim> dims;
  bool open = false;
  for (std::size_t axis = 0; axis < input.dims.size(); ++axis) {
    const DeclaredInput::Dim& dim = input.dims[axis];
    const auto found = std::find_if(bounds.begin(), bounds.end(),
                                    [&](const Bounds& b) { return matches(b, input, axis); });
    Dim& added = dims.emplace_back(Dim{dim.extent, -1});
    if (found == bounds.end()) {
      open |= dim.extent < 0;
      continue;
    }
    added.symbol = static_cast<int>(found - bounds.begin());
    used[static_cast<std::size_t>(added.symbol)] = 1;
  }
  const bool dynamic =
      std::any_of(dims.begin(), dims.end(), [](const Dim& d) { return d.symbol >= 0; });
  require(!dynamic || !open, ErrorCode::invalid_argument, "input '", input.name,
          "' has further open axes: give --dyn for each; there are ", names({input}));
  if (dynamic) inputs_[input.name] = std::move(dims);
}

bool changes_fixed(const std::vector<DeclaredInput>& inputs, const std::vector<Bounds>& bounds) {
  for (const DeclaredInput& input : inputs)
    for (std::size_t axis = 0; axis < input.dims.size(); ++axis)
      if (changes(input, axis, bounds)) return true;
  return false;
}

bool changes_batch(const std::vector<DeclaredInput>& inputs, const std::vector<Bounds>& bounds) {
  return std::any_of(inputs.begin(), inputs.end(), [&](const DeclaredInput& input) {
    return !input.dims.empty() && changes(input, 0, bounds);
  });
}

}  // namespace skiff::dynamic
