#include <algorithm>

#include "runtime/core/error.h"
#include "runtime/core/hash.h"
#include "runtime/lower/bind.h"

namespace skiff {

std::uint64_t packed_forms(const Kernel& kernel, std::size_t inputs) noexcept {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < inputs; ++i) {
    const int input = static_cast<int>(i);
    if (kernel.packed_bytes(input) == 0) continue;
    for (std::uint64_t value : {kernel.packed_bytes(input), kernel.pack_key(input)})
      hash = hashed(hash, value);
  }
  return hash;
}

bool KernelMaker::frugal(const GraphNode& node) const noexcept {
  return !frugal_.empty() && frugal_[static_cast<std::size_t>(&node - graph_.nodes.data())] != 0;
}

KernelPtr KernelMaker::make(const GraphNode& node, Shapes& now, std::pmr::memory_resource& memory) {
  const NodeView view = now.view(node), largest = largest_.view(node);
  return node.def->make_cpu(
      {view, now.outputs(node), table_, threads_, memory, &largest, frugal(node)});
}

void KernelMaker::remake(Step& step, const GraphNode& node, Shapes& now) {
  step.kernel.reset();
  step.region->release();
  KernelPtr kernel = make(node, now, *step.region);
  check_replacement(step, node, *kernel);
  step.kernel = std::move(kernel);
}

KernelPtr DeviceMaker::make(const GraphNode& node, Shapes& now, std::pmr::memory_resource& memory,
                            std::uint64_t most_workspace) const {
  const NodeView view = now.view(node);
  const std::span<const TensorInfo> outputs = now.outputs(node);
  const std::string choice = tuner_.choose(view, outputs, most_workspace);
  return device_.make_kernel(view, outputs,
                             {most_workspace, choice.empty() ? nullptr : choice.c_str()}, memory);
}

void check_replacement(const Step& step, const GraphNode& node, const Kernel& kernel) {
  const auto keeps = [&](const Overwrite& o) { return kernel.can_overwrite(o.input, o.output); };
  require(kernel.workspace_bytes() <= step.workspace_bytes &&
              packed_forms(kernel, node.inputs.size()) == step.packed_forms &&
              std::all_of(step.overwrites.begin(), step.overwrites.end(), keeps),
          ErrorCode::unsupported, "node '", node.name, "' (", node.def->name,
          ") would need another plan of the memory for these sizes: declare narrower bounds");
}

}  // namespace skiff
