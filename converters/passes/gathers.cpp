#include "converters/passes/clean.h"

namespace skiff::passes {
namespace {

struct Progression {
  std::int64_t start;
  std::int64_t count;
  std::int64_t step;
};

/// The indices as start, start + step, ...; nothing when they are not evenly spaced or out of
/// range.
std::optional<Progression> progression(std::vector<std::int64_t> indices, std::int64_t extent) {
  if (indices.empty()) return std::nullopt;
  for (std::int64_t& index : indices) {
    if (index < 0) index += extent;
    if (index < 0 || index >= extent) return std::nullopt;
  }
  const std::int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  if (step == 0) return std::nullopt;
  for (std::size_t i = 1; i < indices.size(); ++i)
    if (indices[i] - indices[i - 1] != step) return std::nullopt;
  return Progression{indices[0], static_cast<std::int64_t>(indices.size()), step};
}

bool gather_to_slice(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  if (node.op != fb::OpKind::gather || !rewriter.is_constant(node.inputs[1])) return false;
  const auto& attributes = attrs<fb::GatherAttrs>(node);
  const Shape x = rewriter.shape(node.inputs[0]);
  const auto axis = static_cast<std::size_t>(attributes.axis());
  if (attributes.batch_dims() != 0) return false;
  const auto picked =
      progression(ir::integers(rewriter.graph.value(node.inputs[1])), x[static_cast<int>(axis)]);
  if (!picked) return false;
  fb::SliceAttrsT slice;
  slice.starts.assign(static_cast<std::size_t>(x.rank()), 0);
  slice.steps.assign(static_cast<std::size_t>(x.rank()), 1);
  slice.sizes = to_vector(x);
  slice.starts[axis] = picked->start;
  slice.sizes[axis] = picked->count;
  slice.steps[axis] = picked->step;
  const ValueId part = rewriter.add(fb::OpKind::slice, slice, {node.inputs[0]}, node.name);
  rewriter.replace(node.outputs[0], rewriter.reshape(part, rewriter.shape(node.outputs[0])));
  return true;
}

}  // namespace

bool gathers_to_slices(Graph& graph) { return Rewriter(graph).for_each(gather_to_slice); }

}  // namespace skiff::passes
