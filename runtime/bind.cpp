#include "runtime/bind.h"

#include <algorithm>
#include <cstddef>
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

/// Hands memory on and keeps account of what a monotonic buffer would have to hold.
class Counter final : public std::pmr::memory_resource {
 public:
  explicit Counter(std::pmr::memory_resource& memory) : memory_(&memory) {}
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    bytes_ = round_up(bytes_, alignment) + bytes;
    return memory_.allocate(bytes, alignment);
  }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  static std::size_t round_up(std::size_t value, std::size_t multiple) noexcept {
    return (value + multiple - 1) / multiple * multiple;
  }

  std::pmr::monotonic_buffer_resource memory_;
  std::size_t bytes_ = 0;
};

std::uint64_t packed_forms(const Kernel& kernel, std::size_t inputs) noexcept {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < inputs; ++i) {
    const int input = static_cast<int>(i);
    for (std::uint64_t value : {kernel.packed_bytes(input), kernel.pack_key(input)})
      hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  }
  return hash;
}

class Binder {
 public:
  Binder(const model::Verified& model, const cpu::KernelTable& table, int threads,
         std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch)
      : graph_(model.graph()),
        model_(model),
        maker_(graph_, table, threads, scratch),
        largest_(graph_, scratch),
        memory_(memory),
        scratch_(scratch),
        form_of_(&scratch),
        result_(memory) {}

  Binding run() {
    if (graph_.symbols != nullptr) add_corners();
    result_.steps.reserve(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) add_step(static_cast<std::int32_t>(i));
    for (std::int32_t output : graph_.outputs)
      if (graph_.value(output).buffer >= 0) stored_form(graph_.value(output).buffer);
    for (const StateLink& state : graph_.states)
      if (state.initial_buffer >= 0) stored_form(state.initial_buffer);
    return std::move(result_);
  }

 private:
  void add_step(std::int32_t index) {
    const GraphNode& node = graph_.nodes[static_cast<std::size_t>(index)];
    require(node.def->make_cpu != nullptr, ErrorCode::unsupported, "node '", node.name,
            "': operator ", node.def->name, " has no kernel in this version of Skiff");
    Step step;
    if (corners_.empty()) {
      step.kernel = maker_.make(node, largest_, memory_);
      step.workspace_bytes = step.kernel->workspace_bytes();
    } else {
      make_adjustable(step, node);
    }
    step.node = index;
    step.inputs = pointers<const void*>(node.inputs.size());
    step.outputs = pointers<void*>(node.outputs.size());
    result_.steps.push_back(std::move(step));
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] >= 0 && graph_.value(node.inputs[i]).buffer >= 0)
        add_constant(index, static_cast<std::int32_t>(i), graph_.value(node.inputs[i]).buffer);
  }

  void add_corners() {
    corners_.reserve(2);
    for (auto corner : {Symbols::Corner::usual, Symbols::Corner::smallest})
      corners_.emplace_back(graph_, scratch_).assign(graph_.symbols->corner(corner));
  }

  /// A kernel in a region that also holds those of other shapes.
  void make_adjustable(Step& step, const GraphNode& node) {
    std::size_t bytes = 0;
    const auto try_out = [&](Shapes& shapes) {
      Counter counter(scratch_);
      const KernelPtr kernel = maker_.make(node, shapes, counter);
      bytes = std::max(bytes, counter.bytes());
      step.workspace_bytes =
          std::max<std::uint64_t>(step.workspace_bytes, kernel->workspace_bytes());
    };
    try_out(largest_);
    for (Shapes& shapes : corners_) try_out(shapes);
    auto* memory = static_cast<std::byte*>(memory_.allocate(bytes, alignof(std::max_align_t)));
    step.region = {memory, bytes};
    std::pmr::monotonic_buffer_resource region(memory, bytes, std::pmr::null_memory_resource());
    step.kernel = maker_.make(node, largest_, region);
    step.packed_forms = packed_forms(*step.kernel, node.inputs.size());
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
  KernelMaker maker_;
  Shapes largest_;
  std::pmr::memory_resource& memory_;
  std::pmr::memory_resource& scratch_;
  std::pmr::vector<Shapes> corners_{&scratch_};  // of a graph with symbols
  std::pmr::map<FormKey, std::int32_t> form_of_;
  Binding result_;
};

}  // namespace

KernelPtr KernelMaker::make(const GraphNode& node, Shapes& now, std::pmr::memory_resource& memory) {
  const NodeView view = now.view(node), largest = largest_.view(node);
  return node.def->make_cpu({view, now.outputs(node), table_, threads_, memory, &largest});
}

void KernelMaker::remake(Step& step, const GraphNode& node, Shapes& now) {
  step.kernel.reset();
  std::pmr::monotonic_buffer_resource region(step.region.data(), step.region.size(),
                                             std::pmr::null_memory_resource());
  KernelPtr kernel = make(node, now, region);
  const auto keeps = [&](const Overwrite& o) { return kernel->can_overwrite(o.input, o.output); };
  require(kernel->workspace_bytes() <= step.workspace_bytes &&
              packed_forms(*kernel, node.inputs.size()) == step.packed_forms &&
              std::all_of(step.overwrites.begin(), step.overwrites.end(), keeps),
          ErrorCode::internal, "node '", node.name, "' (", node.def->name,
          ") would need another plan for these sizes");
  step.kernel = std::move(kernel);
}

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
