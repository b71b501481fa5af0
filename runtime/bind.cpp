#include "runtime/bind.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "platform/sha256.h"
#include "runtime/core/error.h"

namespace skiff {
namespace {

/// Reads a buffer front to back and hashes it on the way.
class HashingReader final : public ConstantReader {
 public:
  HashingReader(const model::Verified& model, std::int32_t buffer)
      : model_(model), buffer_(buffer) {}

  void read(std::span<std::byte> to) override {
    model_.read_buffer(buffer_, at_, to);
    if (model_.digests()) sha_.update(to);
    at_ += to.size();
  }
  void finish() {
    require(at_ == model_.buffer_size(buffer_), ErrorCode::internal, "buffer ", buffer_,
            " was packed from ", at_, " of its ", model_.buffer_size(buffer_), " bytes");
    if (model_.digests()) model_.check_digest(buffer_, sha_.finish());
  }

 private:
  const model::Verified& model_;
  std::int32_t buffer_;
  std::uint64_t at_ = 0;
  platform::Sha256 sha_;
};

class Binder {
 public:
  Binder(const model::Verified& model, const cpu::KernelTable& table, int threads,
         std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch)
      : graph_(model.graph()),
        model_(model),
        table_(table),
        threads_(threads),
        memory_(memory),
        scratch_(scratch),
        form_of_(&scratch),
        result_(memory) {}

  Binding run() {
    result_.steps.reserve(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) add_step(static_cast<std::int32_t>(i));
    for (std::int32_t output : graph_.outputs)
      if (graph_.value(output).buffer >= 0) stored_form(graph_.value(output).buffer);
    return std::move(result_);
  }

 private:
  void add_step(std::int32_t index) {
    const GraphNode& node = graph_.nodes[static_cast<std::size_t>(index)];
    require(node.def->make_cpu != nullptr, ErrorCode::unsupported, "node '", node.name,
            "': operator ", node.def->name, " has no kernel in this version of Skiff");
    const NodeView view = view_of(graph_, node, scratch_);
    std::pmr::vector<TensorInfo> outputs(&scratch_);
    outputs.reserve(node.outputs.size());
    for (std::int32_t output : node.outputs) outputs.push_back(graph_.value(output).info);
    const KernelSpec spec{view, outputs, table_, threads_, memory_};
    Step step;
    step.kernel = node.def->make_cpu(spec);
    step.node = index;
    step.inputs = pointers<const void*>(node.inputs.size());
    step.outputs = pointers<void*>(node.outputs.size());
    step.workspace_bytes = step.kernel->workspace_bytes();
    result_.steps.push_back(std::move(step));
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] >= 0 && graph_.value(node.inputs[i]).buffer >= 0)
        add_constant(index, static_cast<std::int32_t>(i), graph_.value(node.inputs[i]).buffer);
  }

  template <typename P>
  P* pointers(std::size_t count) {
    return static_cast<P*>(
        memory_.allocate(std::max<std::size_t>(count, 1) * sizeof(P), alignof(P)));
  }

  void add_constant(std::int32_t step, std::int32_t input, std::int32_t buffer) {
    Kernel& kernel = *result_.steps[static_cast<std::size_t>(step)].kernel;
    const std::size_t packed = kernel.packed_bytes(input);
    std::int32_t form = -1;
    if (packed == 0) {
      form = stored_form(buffer);
    } else {
      const std::uint64_t key = kernel.pack_key(input);
      // Without a key a packed form belongs to its one kernel.
      form = form_for({buffer, key, key == 0 ? step : -1, input},
                      {.buffer = buffer,
                       .step = step,
                       .input = input,
                       .bytes = packed,
                       .scratch = kernel.pack_scratch_bytes(input)});
    }
    result_.uses.push_back({step, input, form});
  }

  std::int32_t stored_form(std::int32_t buffer) {
    return form_for({buffer, 0, -1, -1}, {.buffer = buffer, .bytes = model_.buffer_size(buffer)});
  }

  // buffer, key of the packed form, its step when not shared, input (of packed forms)
  using FormKey = std::tuple<std::int32_t, std::uint64_t, std::int32_t, std::int32_t>;

  std::int32_t form_for(const FormKey& key, ConstantForm form) {
    const auto [place, added] =
        form_of_.try_emplace(key, static_cast<std::int32_t>(result_.forms.size()));
    if (!added) return place->second;
    form.offset = result_.weights_bytes;
    const auto bytes = static_cast<std::int64_t>(form.bytes);
    require(bytes <= kMaxTensorBytes, ErrorCode::unsupported, "weights of more than ",
            kMaxTensorBytes, " bytes");
    result_.weights_bytes +=
        static_cast<std::uint64_t>(round_up(bytes, static_cast<std::int64_t>(Block::kAlignment)));
    result_.pack_scratch = std::max(result_.pack_scratch, form.scratch);
    result_.forms.push_back(form);
    return place->second;
  }

  const Graph& graph_;
  const model::Verified& model_;
  const cpu::KernelTable& table_;
  int threads_;
  std::pmr::memory_resource& memory_;
  std::pmr::memory_resource& scratch_;
  std::pmr::map<FormKey, std::int32_t> form_of_;
  Binding result_;
};

}  // namespace

Binding bind(const model::Verified& model, const cpu::KernelTable& table, int threads,
             std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  return Binder(model, table, threads, memory, scratch).run();
}

void fill_weights(const model::Verified& model, Binding& binding, std::span<std::byte> weights,
                  std::span<std::byte> scratch) {
  for (const ConstantForm& form : binding.forms) {
    const std::span<std::byte> to = weights.subspan(form.offset, form.bytes);
    if (form.step < 0) {
      model.read_buffer_checked(form.buffer, to);
      continue;
    }
    HashingReader reader(model, form.buffer);
    binding.steps[static_cast<std::size_t>(form.step)].kernel->pack(form.input, reader, to,
                                                                    scratch.first(form.scratch));
    reader.finish();
  }
}

}  // namespace skiff
