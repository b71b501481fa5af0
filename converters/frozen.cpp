#include "converters/frozen.h"

namespace skiff::convert {
namespace {

/// The one axis whose extent is a multiple of what it was; -1: none or several changed.
int grown_axis(const Shape& exported, const Shape& now) {
  if (exported.rank() != now.rank()) return -1;
  int grown = -1;
  for (int axis = 0; axis < now.rank(); ++axis) {
    if (now[axis] == exported[axis]) continue;
    if (grown >= 0 || exported[axis] <= 0 || now[axis] % exported[axis] != 0) return -1;
    grown = axis;
  }
  return grown;
}

}  // namespace

std::vector<std::int64_t> reshape_grown(const Shape& exported, const Shape& now,
                                        const std::vector<std::int64_t>& target) {
  const int axis = grown_axis(exported, now);
  if (axis < 0) return target;
  const std::int64_t factor = now[axis] / exported[axis];
  // The new index moves by one of these many elements of the exported tensor: it is the outer part
  // of the axis that grew, or, after axes were merged, its inner part.
  const std::int64_t outer = exported.elements(axis, exported.rank());
  const std::int64_t inner = exported.elements(axis + 1, exported.rank());
  const int rank = static_cast<int>(target.size());
  int one_outer = -1, one_inner = -1, part = -1;
  std::int64_t inside = 1;  // elements of the axes further in
  for (int q = rank - 1; q >= 0; inside *= target[static_cast<std::size_t>(q)], --q) {
    const std::int64_t extent = target[static_cast<std::size_t>(q)];
    // Best is an axis of 1: the same one as before if it can be, else the outermost.
    if (extent == 1 && inside == outer && one_outer != axis) one_outer = q;
    if (extent == 1 && inside == inner && one_inner != axis) one_inner = q;
    // Else the outer part of an axis, or the inner part of the one before it where the axis is the
    // last one: that holds the features.
    if (extent > 1 && extent * inside == outer) part = q == rank - 1 && q > 0 ? q - 1 : q;
  }
  const int place = one_outer >= 0 ? one_outer : one_inner >= 0 ? one_inner : part;
  if (place < 0) return target;
  std::vector<std::int64_t> result = target;
  result[static_cast<std::size_t>(place)] *= factor;
  return result;
}

}  // namespace skiff::convert
