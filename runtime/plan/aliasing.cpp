#include "runtime/plan/aliasing.h"

#include <algorithm>

namespace skiff::plan {
namespace {

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

std::int64_t round_up(std::int64_t bytes, std::int64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

Aliasing::Aliasing(const Program& program, std::span<const Life> lives,
                   std::pmr::memory_resource& resource)
    : program_(program),
      lives_(lives),
      members_(program.values.size(), &resource),
      buffers_(program.values.size(), Merged{{-1, -1}, 0}, &resource),
      live_(program.steps.size(), 0, &resource) {
  for (std::size_t s = 0; s < live_.size(); ++s) {
    live_[s] = round_up(program.steps[s].scratch, program.alignment);
  }
  for (std::size_t v = 0; v < members_.size(); ++v) {
    if (program.values[v].pinned) continue;
    const auto value = static_cast<std::int32_t>(v);
    members_[v].buffer = members_[v].tree = members_[v].next = value;
    buffers_[v] = {lives[v], program.values[v].bytes};
    count(buffers_[v], 1);
  }
}

std::int64_t Aliasing::bytes(std::int32_t value) const { return program_.values[at(value)].bytes; }

std::int64_t Aliasing::peak() const {
  const auto most = std::max_element(live_.begin(), live_.end());
  return most == live_.end() ? 0 : *most;
}

void Aliasing::count(const Merged& merged, std::int64_t sign) {
  const std::int64_t size = sign * round_up(merged.bytes, program_.alignment);
  for (std::int32_t s = merged.life.first; s <= merged.life.last; ++s) live_[at(s)] += size;
}

bool Aliasing::in_arena(std::int32_t value) const {
  return value >= 0 && at(value) < members_.size() && member(value).buffer >= 0;
}

bool Aliasing::reads(std::int32_t step, std::int32_t value) const {
  const auto all = program_.steps[at(step)].reads;
  return std::find(all.begin(), all.end(), value) != all.end();
}

/// `a` and `b` hold different bytes in one place: is each dead before the other is written?
bool Aliasing::lives_apart(std::int32_t a, std::int32_t b, const InPlace* pair) const {
  const bool is_pair = pair != nullptr && ((a == pair->input && b == pair->output) ||
                                           (b == pair->input && a == pair->output));
  const Life x = life(a), y = life(b);
  if (is_pair) return x.last <= y.first || y.last <= x.first;
  return x.last < y.first || y.last < x.first;
}

/// Checks every value of the one buffer against every value of the other.
bool Aliasing::may_share(const Merge& merge, const InPlace* pair) const {
  const std::int32_t tree_to = member(merge.to).tree, tree_from = member(merge.from).tree;
  std::int32_t a = merge.from;
  do {
    const std::int64_t begin = member(a).offset + merge.shift;
    std::int32_t b = merge.to;
    do {
      const bool overlap =
          begin < member(b).offset + bytes(b) && member(b).offset < begin + bytes(a);
      const bool same_bytes =
          merge.same_tree && member(a).tree == tree_from && member(b).tree == tree_to;
      if (overlap && !same_bytes && !lives_apart(a, b, pair)) return false;
      b = member(b).next;
    } while (b != merge.to);
    a = member(a).next;
  } while (a != merge.from);
  return true;
}

/// Lays one buffer into the other unless the peak would rise.
bool Aliasing::apply(const Merge& merge) {
  const std::int32_t keep = member(merge.to).buffer, gone = member(merge.from).buffer;
  const Merged to = buffers_[at(keep)], from = buffers_[at(gone)];
  const std::int64_t low = std::min<std::int64_t>(0, merge.shift);
  const std::int64_t high = std::max(to.bytes, merge.shift + from.bytes);
  const Merged merged{
      {std::min(to.life.first, from.life.first), std::max(to.life.last, from.life.last)},
      high - low};
  const std::int64_t before = peak();
  count(to, -1);
  count(from, -1);
  count(merged, 1);
  if (peak() > before) {
    count(merged, -1);
    count(from, 1);
    count(to, 1);
    return false;
  }
  const std::int32_t tree = member(merge.to).tree, old_tree = member(merge.from).tree;
  std::int32_t v = merge.from;
  do {
    member(v).offset += merge.shift - low;
    member(v).buffer = keep;
    if (merge.same_tree && member(v).tree == old_tree) member(v).tree = tree;
    v = member(v).next;
  } while (v != merge.from);
  v = merge.to;
  do {
    member(v).offset -= low;
    v = member(v).next;
  } while (v != merge.to);
  std::swap(member(merge.to).next, member(merge.from).next);
  buffers_[at(keep)] = merged;
  buffers_[at(gone)] = {{-1, -1}, 0};
  return true;
}

Alias Aliasing::grant(const InPlace& wish) {
  if (wish.step < 0 || at(wish.step) >= program_.steps.size()) return Alias::mismatch;
  if (!in_arena(wish.input) || !in_arena(wish.output)) return Alias::pinned;
  if (life(wish.output).first != wish.step || !reads(wish.step, wish.input)) return Alias::mismatch;
  if (bytes(wish.input) != bytes(wish.output)) return Alias::mismatch;
  if (life(wish.input).last != wish.step) return Alias::still_used;
  if (member(wish.input).buffer == member(wish.output).buffer) return Alias::still_used;
  const Merge merge{wish.input, wish.output, member(wish.input).offset - member(wish.output).offset,
                    false};
  if (!may_share(merge, &wish)) return Alias::still_used;
  return apply(merge) ? Alias::granted : Alias::wasteful;
}

/// The inputs of one concat hold different bytes: they must not overlap.
bool Aliasing::parts_apart(const View& wish) const {
  std::int32_t v = wish.base;
  do {
    if (member(v).parent == wish.base && member(v).part) {
      const std::int64_t begin = member(v).offset - member(wish.base).offset;
      if (begin < wish.offset + bytes(wish.value) && wish.offset < begin + bytes(v)) return false;
    }
    v = member(v).next;
  } while (v != wish.base);
  return true;
}

Alias Aliasing::grant(const View& wish) {
  if (!in_arena(wish.base) || !in_arena(wish.value)) return Alias::pinned;
  if (wish.offset < 0 || wish.offset % program_.view_alignment != 0) return Alias::mismatch;
  if (wish.offset > bytes(wish.base) || bytes(wish.value) > bytes(wish.base) - wish.offset) {
    return Alias::mismatch;
  }
  const std::int32_t base_step = life(wish.base).first, value_step = life(wish.value).first;
  const bool taken = base_step < value_step && reads(value_step, wish.base);
  const bool part = value_step < base_step && reads(base_step, wish.value);
  if (!taken && !part) return Alias::mismatch;
  if (member(wish.value).parent >= 0) return Alias::still_used;
  if (member(wish.base).buffer == member(wish.value).buffer) return Alias::still_used;
  if (part && !parts_apart(wish)) return Alias::still_used;
  const Merge merge{wish.base, wish.value,
                    member(wish.base).offset + wish.offset - member(wish.value).offset, true};
  if (!may_share(merge, nullptr)) return Alias::still_used;
  if (!apply(merge)) return Alias::wasteful;
  member(wish.value).parent = wish.base;
  member(wish.value).part = part;
  return Alias::granted;
}

void Aliasing::write(Lifetimes& out) const {
  out.values.assign(members_.size(), Place{});
  std::pmr::vector<std::int32_t> number(buffers_.size(), -1, out.buffers.get_allocator());
  for (std::size_t v = 0; v < members_.size(); ++v) {
    if (members_[v].buffer < 0) continue;
    const std::size_t buffer = at(members_[v].buffer);
    if (number[buffer] < 0) {
      number[buffer] = static_cast<std::int32_t>(out.buffers.size());
      const Merged& merged = buffers_[buffer];
      out.buffers.push_back({merged.life.first, merged.life.last + 1, merged.bytes});
    }
    out.values[v] = {number[buffer], members_[v].offset};
  }
}

}  // namespace skiff::plan
