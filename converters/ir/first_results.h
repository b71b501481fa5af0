#pragma once

#include <limits>
#include <numeric>
#include <vector>

#include "converters/ir/graph.h"

// Results that a run cuts: how many are wanted is only known then. `Builder` is what an importer
// adds nodes with.
namespace skiff::ir {

/// Which of `most` results are among the first k, one integer: bool [most]. A k that is out of
/// range becomes an index that is. T: the type to count in, which must hold most + 1.
template <typename T, typename Builder>
ValueId among_first(Builder& b, ValueId k, std::int64_t most) {
  std::vector<T> places(static_cast<std::size_t>(most) + 1);
  std::iota(places.begin(), places.end(), T{0});
  const ValueId table = b.constant(Shape{most + 1}, places),
                zero = b.constant(Shape{1}, std::vector<T>{0}),
                beyond = b.constant(Shape{1}, std::vector<T>{std::numeric_limits<T>::max()}),
                given = b.reshape(b.cast(k, dtype_of<T>()), Shape{1});
  const ValueId negative = b.binary(fb::BinaryFunction::less, given, zero),
                index = b.add(fb::OpKind::where, {}, {negative, beyond, given}),
                checked = b.add(fb::OpKind::gather, fb::GatherAttrsT(), {table, index});
  return b.binary(fb::BinaryFunction::less, b.slice(table, {0}, {most}, {1}), checked);
}

/// Cuts each of `results`, `most` along `axis`, to its first k along it.
template <typename T, typename Builder>
void keep_first(Builder& b, std::vector<ValueId>& results, std::int64_t axis, ValueId k,
                std::int64_t most) {
  fb::AxisAttrsT along;
  along.axis = axis;
  const ValueId kept = among_first<T>(b, k, most);
  for (ValueId& result : results) result = b.add(fb::OpKind::compress, along, {result, kept});
}

}  // namespace skiff::ir
