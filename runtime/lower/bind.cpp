#include "runtime/lower/bind.h"

#include <algorithm>
#include <cstddef>
#include <list>

#include "runtime/core/error.h"
#include "runtime/lower/constant_forms.h"

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

class Binder {
 public:
  Binder(const model::Verified& model, const Graph& graph, const cpu::KernelTable& table,
         int threads, std::span<const std::uint8_t> frugal, const DeviceMaker* device,
         std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch)
      : graph_(graph),
        device_(device),
        maker_(graph_, table, threads, frugal, scratch),
        largest_(graph_, scratch),
        memory_(memory),
        scratch_(scratch),
        result_(memory),
        forms_(model, result_, scratch) {}

  Binding run() {
    if (graph_.symbols != nullptr) add_corners();
    const std::size_t count = graph_.nodes.size();
    result_.steps.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (device_ != nullptr) device_->reach(i, count);
      add_step(static_cast<std::int32_t>(i));
    }
    add_constant_outputs(graph_.outputs);
    for (const StateLink& state : graph_.states) forms_.add_stored(state.initial_buffer);
    for (const GraphVariable& variable : graph_.variables)
      forms_.add_stored(variable.initial_buffer);
    forms_.place();
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
    add_constants(index, node);
  }

  /// Those of the step that was added last.
  void add_constants(std::int32_t step, const GraphNode& node) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] >= 0 && graph_.value(node.inputs[i]).buffer >= 0)
        forms_.add_constant(step, static_cast<std::int32_t>(i), graph_.value(node.inputs[i]));
    if (result_.steps.back().space == Space::device) forms_.add_tables(step);
    for (const GraphBody& body : node.bodies) add_constant_outputs(body.outputs);
  }

  void add_constant_outputs(std::span<const std::int32_t> outputs) {
    for (std::int32_t output : outputs)
      if (graph_.value(output).buffer >= 0) forms_.add_stored(graph_.value(output));
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
    if (node.waits_for() != 0) {
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

  void add_corners() {
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

  const Graph& graph_;
  const DeviceMaker* device_;
  KernelMaker maker_;
  Shapes largest_;
  std::pmr::memory_resource& memory_;
  std::pmr::memory_resource& scratch_;
  std::pmr::list<Shapes> corners_{&scratch_};  // of a graph with symbols
  Binding result_;
  ConstantForms forms_;
};

}  // namespace

Binding bind(const model::Verified& model, const Graph& graph, const cpu::KernelTable& table,
             int threads, std::span<const std::uint8_t> frugal, const DeviceMaker* device,
             std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  return Binder(model, graph, table, threads, frugal, device, memory, scratch).run();
}

}  // namespace skiff
