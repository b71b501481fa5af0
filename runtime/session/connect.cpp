#include <algorithm>

#include "runtime/core/error.h"
#include "runtime/lower/weights.h"
#include "runtime/session/impl.h"

// Where everything lies: the packed weights, and what every step points to.
namespace skiff {

std::byte* nothing() noexcept {
  alignas(Block::kAlignment) static std::byte memory[Block::kAlignment];
  return memory;
}

std::byte* base_of(const Block& block) noexcept {
  return block.data() == nullptr ? nothing() : block.data();
}

void Session::Impl::take_weights() {
  const std::lock_guard lock(shared.mutex);
  auto* const end = shared.weights + Model::Impl::kMaxWeightSets;
  const int gpu = device ? device->ordinal() : -1;
  auto* set = std::find_if(shared.weights, end, [&](const WeightSet& s) {
    return !s.table || (s.table == &table && s.gpu == gpu && s.forms_key == binding.forms_key);
  });
  require(set != end, ErrorCode::unsupported, "more than ", Model::Impl::kMaxWeightSets,
          " instruction sets, memory limits and tunings in use");
  if (set->table == nullptr) fill_set(*set);
  require(set->block.size() == binding.weights_bytes &&
              set->device_block.size() == binding.device_weights_bytes,
          ErrorCode::internal, "two sessions disagree on the form of the weights");
  weights = base_of(set->block);
  device_weights = set->device_block.mapped();
}

/// The model's account is that of its metadata; weights stand in every session's report.
void Session::Impl::fill_set(WeightSet& set) {
  Block block(shared.book, binding.weights_bytes);
  const bool borrow = binding.pack_scratch <= layout.host.bytes;
  Block scratch(book, borrow ? 0 : binding.pack_scratch);
  const std::span<std::byte> space =
      borrow ? std::span(activations, layout.host.bytes) : scratch.bytes();
  fill_weights(shared.verified, binding, block.bytes(), space);
  scratch.reset();
  fill_device_set(set);
  set.block = std::move(block);
  set.table = &table;
  set.gpu = device ? device->ordinal() : -1;
  set.forms_key = binding.forms_key;
}

std::byte* Session::Impl::address(std::int32_t id) const noexcept {
  const std::int32_t root = graph().root(id);
  const auto i = static_cast<std::size_t>(root);
  if (layout.io_offset[i] >= 0) return io + layout.io_offset[i];
  if (layout.host.value_offset[i] >= 0) return activations + layout.host.value_offset[i];
  return stored(graph().value(root).buffer);
}

std::byte* Session::Impl::stored(std::int32_t buffer) const noexcept {
  for (const ConstantForm& form : binding.forms)
    if (form.buffer == buffer && form.step < 0 && form.space == Space::host &&
        form.stored == DType::none)
      return const_cast<std::byte*>(weights) + form.offset;
  return nothing();
}

void Session::Impl::connect_on_host(std::size_t s) {
  Step& step = binding.steps[s];
  const GraphNode& node = graph_node(step);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const std::int32_t id = node.inputs[i];
    const bool constant = id >= 0 && graph().value(id).buffer >= 0;
    step.inputs[i] = id < 0 ? nullptr : constant ? nothing() : address(id);
  }
  for (std::size_t o = 0; o < node.outputs.size(); ++o) step.outputs[o] = address(node.outputs[o]);
  const std::int64_t workspace = layout.host.workspace_offset[s];
  step.workspace = workspace < 0 ? nothing() : activations + workspace;
}

void Session::Impl::connect() {
  for (std::size_t s = 0; s < binding.steps.size(); ++s)
    binding.steps[s].space == Space::device ? connect_on_device(s) : connect_on_host(s);
  for (const ConstantUse& use : binding.uses) {
    Step& step = binding.steps[static_cast<std::size_t>(use.step)];
    const ConstantForm& form = binding.forms[static_cast<std::size_t>(use.form)];
    const std::byte* base = form.space == Space::device ? device_weights : weights;
    (use.input < 0 ? step.tables : step.inputs[use.input]) = base + form.offset;
  }
  // Steps that are views have nothing to do.
  renumber_borders();
  std::erase_if(binding.steps, [](const Step& step) { return step.elided; });
  number_steps();
}

}  // namespace skiff
