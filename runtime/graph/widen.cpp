#include "runtime/graph/widen.h"

#include <algorithm>
#include <vector>

#include "runtime/core/error.h"
#include "runtime/graph/rewrite.h"
#include "runtime/graph/shapes.h"

namespace skiff {
namespace {

bool is_narrow(const GraphValue& value) noexcept {
  return value.info.dtype == DType::float16 || value.info.dtype == DType::bfloat16;
}
bool is_external(const GraphValue& value) noexcept { return value.is_input || value.is_output; }

class Widening {
 public:
  Widening(const Graph& graph, std::pmr::memory_resource& memory,
           std::pmr::memory_resource& scratch)
      : memory_(memory), scratch_(&scratch), wide_(memory), same_(&scratch_), dropped_(&scratch_) {
    copy(graph, wide_);
    same_.resize(graph.values.size());
    dropped_.resize(graph.nodes.size(), false);
    for (std::size_t i = 0; i < same_.size(); ++i) same_[i] = static_cast<std::int32_t>(i);
  }

  std::optional<Graph> run() {
    for (GraphValue& value : wide_.values)
      if (is_narrow(value) && !widen(value)) return std::nullopt;
    for (std::size_t n = 0; n < wide_.nodes.size(); ++n)
      if (wide_.nodes[n].def->op == fb::OpKind::cast) drop_cast(n);
    for (GraphNode& node : wide_.nodes) {
      node.inputs = mapped(node.inputs);
      node.outputs = mapped(node.outputs);
    }
    leave_out_dropped();
    if (!rules_agree()) return std::nullopt;
    return std::move(wide_);
  }

 private:
  static bool widen(GraphValue& value) {
    if (value.max_bytes > kMaxTensorBytes / 2) return false;
    if (value.buffer >= 0) value.info.stored = value.info.dtype;
    value.info.dtype = DType::float32;
    value.max_bytes *= 2;
    return true;
  }

  GraphValue& value(std::int32_t id) { return wide_.values[static_cast<std::size_t>(id)]; }

  /// The value that stands for another one since the cast between them fell away.
  std::int32_t represent(std::int32_t id) const {
    while (same_[static_cast<std::size_t>(id)] != id) id = same_[static_cast<std::size_t>(id)];
    return id;
  }

  /// A cast that has nothing left to do: whoever reads its result reads its operand; one that gives
  /// an output of the graph lets the operand's node write that.
  void drop_cast(std::size_t n) {
    GraphNode& node = wide_.nodes[n];
    const std::int32_t from = represent(node.inputs[0]), to = node.outputs[0];
    if (value(from).info.dtype != value(to).info.dtype) return;
    if (!is_external(value(to))) {
      same_[static_cast<std::size_t>(to)] = from;
    } else if (!is_external(value(from)) && value(from).producer >= 0) {
      same_[static_cast<std::size_t>(from)] = to;
      value(to).producer = value(from).producer;
    } else {
      node.def = find_op(fb::OpKind::identity);
      return;
    }
    dropped_[n] = true;
  }

  void leave_out_dropped() {
    std::pmr::vector<std::int32_t> number(dropped_.size(), -1, &scratch_);
    std::size_t count = 0;
    for (std::size_t n = 0; n < dropped_.size(); ++n) {
      if (dropped_[n]) continue;
      number[n] = static_cast<std::int32_t>(count);
      wide_.nodes[count++] = wide_.nodes[n];
    }
    wide_.nodes.resize(count);
    for (GraphValue& value : wide_.values)
      if (value.producer >= 0) value.producer = number[static_cast<std::size_t>(value.producer)];
  }

  std::span<const std::int32_t> mapped(std::span<const std::int32_t> ids) {
    const auto stays = [&](std::int32_t id) { return id < 0 || represent(id) == id; };
    if (std::ranges::all_of(ids, stays)) return ids;
    auto* to =
        static_cast<std::int32_t*>(memory_.allocate(ids.size_bytes(), alignof(std::int32_t)));
    std::ranges::transform(ids, to, [&](std::int32_t id) { return id < 0 ? id : represent(id); });
    return {to, ids.size()};
  }

  /// Operators with parts that must be of one type, one of which is external or no float.
  bool rules_agree() {
    Shapes shapes(wide_, scratch_);
    std::pmr::vector<TensorInfo> inferred(&scratch_);
    for (const GraphNode& node : wide_.nodes) {
      if (node.def->op == fb::OpKind::cast) continue;  // a cast gives what is asked
      inferred.assign(node.outputs.size(), {});
      try {
        node.def->infer(shapes.view(node), inferred);
      } catch (const Error&) {
        return false;
      }
      for (std::size_t i = 0; i < inferred.size(); ++i)
        if (inferred[i].dtype != shapes.info(node.outputs[i]).dtype) return false;
    }
    return true;
  }

  std::pmr::memory_resource& memory_;
  std::pmr::monotonic_buffer_resource scratch_;
  Graph wide_;
  std::pmr::vector<std::int32_t> same_;
  std::pmr::vector<std::uint8_t> dropped_;
};

}  // namespace

std::optional<Graph> widen(const Graph& graph, std::pmr::memory_resource& memory,
                           std::pmr::memory_resource& scratch) {
  const auto external = [](const GraphValue& v) { return is_narrow(v) && is_external(v); };
  const auto narrow = [&](const GraphVariable& v) { return is_narrow(graph.value(v.value)); };
  if (graph.has_bodies || std::ranges::any_of(graph.variables, narrow)) return std::nullopt;
  if (std::ranges::none_of(graph.values, is_narrow) || std::ranges::any_of(graph.values, external))
    return std::nullopt;
  return Widening(graph, memory, scratch).run();
}

}  // namespace skiff
