#include "converters/passes/layout/layout.h"
#include "converters/passes/layout/permutation.h"

namespace skiff::passes {
namespace {

bool to_reshape(Rewriter& rewriter) {
  const auto perm = transpose_perm(&rewriter.node());
  const ValueId x = rewriter.node().inputs[0];
  if (!perm || !is_reshape(*perm, rewriter.shape(x))) return false;
  const ValueId result = rewriter.node().outputs[0];
  if (rewriter.shape(result) == rewriter.shape(x) && !rewriter.can_forward(result, x)) return false;
  rewriter.replace(result, rewriter.reshape(x, rewriter.shape(result)));
  return true;
}

}  // namespace

bool unit_transposes(Graph& graph) { return Rewriter(graph).for_each(to_reshape); }

}  // namespace skiff::passes
