#include "converters/passes/layout/reshape_groups.h"

#include <algorithm>

namespace skiff::passes {
namespace {

std::vector<int> real_axes(const Shape& shape) {
  std::vector<int> axes;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (shape[axis] != 1) axes.push_back(axis);
  return axes;
}

/// Rank of every axis of x among those of extent other than 1.
std::vector<int> places(const Shape& x) {
  std::vector<int> result(static_cast<std::size_t>(x.rank()), 0);
  int place = 0;
  for (int axis : real_axes(x)) result[static_cast<std::size_t>(axis)] = place++;
  return result;
}

/// Gives axes of extent 1 to the group before them; leading ones come back as a group of their own.
std::vector<int> adopt_unit_axes(const Shape& target, std::vector<ReshapeGroup>& groups) {
  std::vector<int> leading;
  std::size_t group = 0;
  bool started = false;
  for (int axis = 0; axis < target.rank(); ++axis) {
    if (target[axis] != 1) {
      started = true;
      while (std::find(groups[group].to.begin(), groups[group].to.end(), axis) ==
             groups[group].to.end())
        ++group;
    } else if (!started) {
      leading.push_back(axis);
    } else {
      auto& axes = groups[group].to;
      axes.insert(std::upper_bound(axes.begin(), axes.end(), axis), axis);
    }
  }
  return leading;
}

}  // namespace

std::vector<ReshapeGroup> reshape_groups(const Shape& from, const Shape& to) {
  std::vector<ReshapeGroup> groups;
  const std::vector<int> left = real_axes(from);
  const std::vector<int> right = real_axes(to);
  if (from.elements() == 0) return groups;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() && j < right.size()) {
    ReshapeGroup group{{left[i]}, {right[j]}};
    std::int64_t a = from[left[i++]];
    std::int64_t b = to[right[j++]];
    while (a != b) {
      if (a < b) {
        group.from.push_back(left[i]);
        a *= from[left[i++]];
      } else {
        group.to.push_back(right[j]);
        b *= to[right[j++]];
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

Perm joining_perm(const Shape& x, const Perm& perm, const Shape& target) {
  if (x.elements() == 0) return perm;
  std::vector<ReshapeGroup> groups = reshape_groups(permute(x, perm), target);
  const auto source = [&](int axis) { return perm[static_cast<std::size_t>(axis)]; };
  const auto last_source = [&](const ReshapeGroup& group) {
    int last = 0;
    for (int axis : group.from) last = std::max(last, source(axis));
    return last;
  };
  std::sort(groups.begin(), groups.end(), [&](const ReshapeGroup& a, const ReshapeGroup& b) {
    return last_source(a) < last_source(b);
  });
  Perm result;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (x[axis] == 1) result.push_back(axis);
  for (const ReshapeGroup& group : groups)
    for (int axis : group.from) result.push_back(source(axis));
  return result;
}

std::optional<MovedReshape> move_reshape(const Shape& x, const Perm& perm, const Shape& target) {
  if (x.elements() == 0) return std::nullopt;
  std::vector<ReshapeGroup> groups = reshape_groups(permute(x, perm), target);
  const std::vector<int> place = places(x);
  const auto place_of = [&](int axis) {
    return place[static_cast<std::size_t>(perm[static_cast<std::size_t>(axis)])];
  };
  for (const ReshapeGroup& group : groups)
    for (std::size_t i = 1; i < group.from.size(); ++i)
      if (place_of(group.from[i]) != place_of(group.from[i - 1]) + 1) return std::nullopt;
  std::vector<int> sources = adopt_unit_axes(target, groups);
  std::sort(groups.begin(), groups.end(), [&](const ReshapeGroup& a, const ReshapeGroup& b) {
    return place_of(a.from[0]) < place_of(b.from[0]);
  });
  for (const ReshapeGroup& group : groups)
    sources.insert(sources.end(), group.to.begin(), group.to.end());
  // sources[i] is the target's axis that lies at place i before the transpose.
  return MovedReshape{permute(target, sources), inverse(sources)};
}

}  // namespace skiff::passes
