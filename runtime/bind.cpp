#include "runtime/bind.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <tuple>

#include "runtime/core/error.h"
#include "runtime/weights.h"

namespace skiff {
namespace {

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
    if (kernel.packed_bytes(input) == 0) continue;
    for (std::uint64_t value : {kernel.packed_bytes(input), kernel.pack_key(input)})
      hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  }
  return hash;
}

class Binder {
 public:
  Binder(const model::Verified& model, const Graph& graph, const cpu::KernelTable& table,
         int threads, std::span<const std::uint8_t> frugal, const DeviceMaker* device,
         std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch)
      : graph_(graph),
        model_(model),
        device_(device),
        maker_(graph_, table, threads, frugal, scratch),
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
      if (graph_.value(output).buffer >= 0) stored_form(graph_.value(output), Space::host);
    for (const StateLink& state : graph_.states)
      if (state.initial_buffer >= 0) stored_form(state.initial_buffer, Space::host);
    for (const GraphVariable& variable : graph_.variables)
      if (variable.initial_buffer >= 0) stored_form(variable.initial_buffer, Space::host);
    place_forms();
    return std::move(result_);
  }

 private:
  void add_step(std::int32_t index) {
    const GraphNode& node = graph_.nodes[static_cast<std::size_t>(index)];
    require(node.def->make_cpu != nullptr, ErrorCode::unsupported, "node '", node.name,
            "': operator ", node.def->name, " has no kernel in this version of Skiff");
    Step step;
    if (device_ == nullptr || !may_leave_host(step, node) || !make_on_device(step, node))
      make_on_host(step, node);
    step.node = index;
    step.inputs = pointers<const void*>(node.inputs.size());
    step.outputs = pointers<void*>(node.outputs.size());
    result_.steps.push_back(std::move(step));
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] >= 0 && graph_.value(node.inputs[i]).buffer >= 0)
        add_constant(static_cast<std::int32_t>(i), graph_.value(node.inputs[i]));
    if (result_.steps.back().space == Space::device) add_tables();
    for (const GraphBody& body : node.bodies)
      for (std::int32_t output : body.outputs)
        if (graph_.value(output).buffer >= 0) stored_form(graph_.value(output), Space::host);
  }

  /// Nested graphs are walked by the host, step by step.
  static bool may_leave_host(Step& step, const GraphNode& node) {
    if (node.bodies.empty() && !node.nested) return true;
    step.why_host = node.nested ? "it is part of a nested graph, which the CPU walks"
                                : "its nested graphs are walked by the CPU";
    return false;
  }

  void make_on_host(Step& step, const GraphNode& node) {
    step.workspace_bytes = 0;
    if (graph_.resizable() || node.follows != 0) return make_adjustable(step, node);
    step.kernel = maker_.make(node, largest_, memory_);
    step.workspace_bytes = step.kernel->workspace_bytes();
  }

  /// False, with the reason in the step, when the device has no kernel for the node.
  bool make_on_device(Step& step, const GraphNode& node) {
    if (node.follows != 0) {
      step.why_host = "its sizes depend on data";
      return false;
    }
    try {
      Shapes& usual = graph_.resizable() ? corners_.front() : largest_;
      step.kernel = device_->make(node, usual, memory_);
      step.workspace_bytes = step.kernel->workspace_bytes();
      step.packed_forms = packed_forms(*step.kernel, node.inputs.size());
      if (graph_.resizable()) try_largest_on_device(step, node);
      step.space = Space::device;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      const std::string_view why = error.what();
      auto* text = static_cast<char*>(memory_.allocate(why.size() + 1, 1));
      step.why_host = {text, why.copy(text, why.size())};
      step.kernel.reset();
    }
    return step.space == Space::device;
  }

  /// The plan leaves room for the scratch of the largest shapes; later kernels keep to it.
  void try_largest_on_device(Step& step, const GraphNode& node) {
    std::pmr::monotonic_buffer_resource meanwhile(&scratch_);
    const KernelPtr kernel = device_->make(node, largest_, meanwhile);
    step.workspace_bytes = std::max<std::uint64_t>(step.workspace_bytes, kernel->workspace_bytes());
    check_replacement(step, node, *kernel);
  }

  /// The step that was added last.
  std::int32_t last_step() const noexcept {
    return static_cast<std::int32_t>(result_.steps.size()) - 1;
  }

  void add_tables() {
    const std::int32_t step = last_step();
    const Kernel& kernel = *result_.steps[static_cast<std::size_t>(step)].kernel;
    const std::size_t bytes = kernel.packed_bytes(-1);
    if (bytes == 0) return;
    const std::int32_t form = form_for({-1, 0, step, -1, Space::device, DType::none},
                                       {.step = step, .space = Space::device, .bytes = bytes});
    result_.uses.push_back({step, -1, form});
  }

  void add_corners() {
    corners_.reserve(2);
    for (auto corner : {Symbols::Corner::usual, Symbols::Corner::smallest})
      corners_.emplace_back(graph_, scratch_).assign_inputs(graph_.symbols->corner(corner));
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
    for (Shapes& shapes : corners_)
      if (works_with(node, shapes)) try_out(shapes);
    using Region = std::pmr::monotonic_buffer_resource;
    void* place = memory_.allocate(sizeof(Region), alignof(Region));
    void* memory = memory_.allocate(bytes, alignof(std::max_align_t));
    step.region = new (place) Region(memory, bytes, std::pmr::null_memory_resource());
    step.kernel = maker_.make(node, largest_, *step.region);
    step.packed_forms = packed_forms(*step.kernel, node.inputs.size());
  }

  /// Loading checked that; but for what depends on counts, which it may not work with.
  static bool works_with(const GraphNode& node, Shapes& shapes) {
    if (node.waits_for() == 0) return true;
    try {
      shapes.update(node);
      return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) throw;
      return false;
    }
  }

  template <typename P>
  P* pointers(std::size_t count) {
    return static_cast<P*>(
        memory_.allocate(std::max<std::size_t>(count, 1) * sizeof(P), alignof(P)));
  }

  void add_constant(std::int32_t input, const GraphValue& constant) {
    const std::int32_t step = last_step();
    const Space space = result_.steps[static_cast<std::size_t>(step)].space;
    Kernel& kernel = *result_.steps[static_cast<std::size_t>(step)].kernel;
    const std::size_t packed = kernel.packed_bytes(input);
    std::int32_t form = -1;
    if (packed == 0) {
      form = stored_form(constant, space);
    } else {
      const std::uint64_t key = kernel.pack_key(input);
      // Without a key a packed form belongs to its one kernel; on the host a key says all.
      const bool any_place = key != 0 && space == Space::host;
      form = form_for({constant.buffer, key, key == 0 ? step : -1, any_place ? -1 : input, space,
                       constant.stored},
                      {.buffer = constant.buffer,
                       .step = step,
                       .input = input,
                       .space = space,
                       .stored = constant.stored,
                       .bytes = packed,
                       .scratch = kernel.pack_scratch_bytes(input)});
    }
    result_.uses.push_back({step, input, form});
  }

  std::int32_t stored_form(const GraphValue& constant, Space space) {
    return add_form(constant.buffer, space, constant.stored,
                    static_cast<std::uint64_t>(constant.max_bytes));
  }
  std::int32_t stored_form(std::int32_t buffer, Space space) {
    return add_form(buffer, space, DType::none, model_.buffer_size(buffer));
  }
  std::int32_t add_form(std::int32_t buffer, Space space, DType stored, std::uint64_t bytes) {
    return form_for({buffer, 0, -1, -1, space, stored},
                    {.buffer = buffer, .space = space, .stored = stored, .bytes = bytes});
  }

  // buffer, key of the packed form, its step when not shared, input (where it matters), space, what
  // is widened
  using FormKey = std::tuple<std::int32_t, std::uint64_t, std::int32_t, std::int32_t, Space, DType>;

  /// Forms are a set: their hashes are added up.
  std::uint64_t hash_of(const FormKey& key, const ConstantForm& form) const noexcept {
    const auto& [buffer, packing, step, input, space, stored] = key;
    std::uint64_t hash = packing;
    for (std::int64_t value : {std::int64_t{buffer}, std::int64_t{step}, std::int64_t{input},
                               static_cast<std::int64_t>(space), static_cast<std::int64_t>(stored),
                               static_cast<std::int64_t>(form.bytes)})
      hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
  }

  std::int32_t form_for(const FormKey& key, ConstantForm form) {
    const auto [place, added] =
        form_of_.try_emplace(key, static_cast<std::int32_t>(result_.forms.size()));
    if (!added) return place->second;
    result_.forms_key += hash_of(key, form);
    require(static_cast<std::int64_t>(form.bytes) <= kMaxTensorBytes, ErrorCode::unsupported,
            "weights of more than ", kMaxTensorBytes, " bytes");
    if (form.space == Space::host)
      result_.pack_scratch = std::max(result_.pack_scratch, form.scratch);
    else
      result_.device_staging = std::max(result_.device_staging, staging_bytes(form));
    result_.forms.push_back(form);
    return place->second;
  }

  /// In an order that does not depend on that of the steps: sessions that fuse differently share
  /// their weights.
  void place_forms() {
    for (const auto& [key, index] : form_of_) {
      ConstantForm& form = result_.forms[static_cast<std::size_t>(index)];
      std::uint64_t& total =
          form.space == Space::host ? result_.weights_bytes : result_.device_weights_bytes;
      form.offset = total;
      total += static_cast<std::uint64_t>(round_up(static_cast<std::int64_t>(form.bytes),
                                                   static_cast<std::int64_t>(Block::kAlignment)));
    }
  }

  const Graph& graph_;
  const model::Verified& model_;
  const DeviceMaker* device_;
  KernelMaker maker_;
  Shapes largest_;
  std::pmr::memory_resource& memory_;
  std::pmr::memory_resource& scratch_;
  std::pmr::vector<Shapes> corners_{&scratch_};  // of a graph with symbols
  std::pmr::map<FormKey, std::int32_t> form_of_;
  Binding result_;
};

}  // namespace

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

Binding bind(const model::Verified& model, const Graph& graph, const cpu::KernelTable& table,
             int threads, std::span<const std::uint8_t> frugal, const DeviceMaker* device,
             std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  return Binder(model, graph, table, threads, frugal, device, memory, scratch).run();
}

}  // namespace skiff
