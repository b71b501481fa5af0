#include "converters/dynamic/repeat.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "converters/compute.h"
#include "runtime/core/error.h"

namespace skiff::dynamic {
namespace {

using npy::Array;

/// The axis on which `large` has `count` times the extent of `small`; -1: they are the same.
int repeated_axis(const std::string& name, const Shape& small, const Shape& large,
                  std::int64_t count) {
  int found = -1;
  bool fits = small.rank() == large.rank();
  for (int axis = 0; fits && axis < small.rank(); ++axis) {
    if (small[axis] == large[axis]) continue;
    fits = found < 0 && large[axis] == small[axis] * count;
    found = axis;
  }
  require(fits, ErrorCode::unsupported, "'", name, "' of shape ", small, " becomes ", large,
          " for ", count, " items");
  return found;
}

/// How many times as large the first axis that differs is.
std::int64_t items(const ir::Graph& small, const ir::Graph& large) {
  for (std::size_t i = 0; i < small.inputs.size(); ++i) {
    const Shape &one = small.value(small.inputs[i]).shape,
                &all = large.value(large.inputs[i]).shape;
    for (int axis = 0; axis < std::min(one.rank(), all.rank()); ++axis)
      if (one[axis] != all[axis] && one[axis] > 0) return all[axis] / one[axis];
  }
  return 1;
}

/// Item `i` of `count` along an axis.
Array item_of(const Array& all, int axis, std::int64_t i, std::int64_t count) {
  if (axis < 0) return all;
  Array item{all.dtype, all.shape, {}};
  item.shape[axis] /= count;
  const auto run =
      static_cast<std::size_t>(item.shape.elements(axis, item.shape.rank())) * size_of(all.dtype);
  const std::int64_t runs = all.shape.elements(0, axis);
  for (std::int64_t r = 0; r < runs; ++r) {
    const std::byte* from = all.bytes.data() + static_cast<std::size_t>(r * count + i) * run;
    item.bytes.insert(item.bytes.end(), from, from + run);
  }
  return item;
}

Array array_of(const ir::Value& value) { return {value.dtype, value.shape, *value.constant}; }

/// Floats by relative L2, others exactly.
bool agree(const Array& a, const Array& b) {
  if (a.dtype != DType::float32) return a.bytes == b.bytes;
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.bytes.size(); i += sizeof(float)) {
    float x = 0, y = 0;
    std::memcpy(&x, a.bytes.data() + i, sizeof x);
    std::memcpy(&y, b.bytes.data() + i, sizeof y);
    difference += static_cast<double>(x - y) * static_cast<double>(x - y);
    norm += static_cast<double>(y) * static_cast<double>(y);
  }
  return std::sqrt(difference) <= 1e-3 * std::sqrt(norm) + 1e-12;
}

}  // namespace

void check_repeats(const ir::Graph& small, const ir::Graph& large) {
  const std::int64_t count = items(small, large);
  const npy::Archive inputs = convert::random_inputs(large);
  const ir::Graph together = convert::compute(large, inputs);
  for (std::int64_t i = 0; i < count; ++i) {
    npy::Archive part;
    for (ir::ValueId id : small.visible_inputs()) {
      const ir::Value& value = small.value(id);
      const Array& all = inputs.at(value.name);
      const int axis = repeated_axis(value.name, value.shape, all.shape, count);
      part.emplace(value.name, item_of(all, axis, i, count));
    }
    const ir::Graph alone = convert::compute(small, part);
    for (std::size_t o = 0; o < small.outputs.size(); ++o) {
      const ir::Value &one = alone.value(small.outputs[o]), &all = together.value(large.outputs[o]);
      const int axis = repeated_axis(one.name, one.shape, all.shape, count);
      require(
          (axis >= 0 || count == 1) && agree(item_of(array_of(all), axis, i, count), array_of(one)),
          ErrorCode::unsupported, "output '", one.name, "' is wrong for item ", i, " of ", count,
          ": the size was fixed when the model was exported and cannot be changed; ",
          "export it with a dynamic axis");
    }
  }
}

}  // namespace skiff::dynamic
