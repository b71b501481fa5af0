#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "runtime/backend/device.h"
#include "runtime/cpu/kernel_table.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/shapes.h"
#include "runtime/model/verified.h"
#include "runtime/ops/control.h"
#include "runtime/ops/kernel.h"
#include "runtime/tune/tuner.h"

namespace skiff {

/// The memory that a step works in.
enum class Space : std::uint8_t { host, device };

/// The kernel writes a result over an operand.
struct Overwrite {
  int input = 0, output = 0;
};

/// A kernel with its operands. Pointers are filled in when the memory exists.
struct Step {
  KernelPtr kernel;
  std::int32_t node = -1;  ///< index in the graph
  const void** inputs = nullptr;
  void** outputs = nullptr;
  void* workspace = nullptr;
  std::uint64_t workspace_bytes = 0;
  bool elided = false;  ///< a view: its result lies in its operand already
  Space space = Space::host;
  std::string_view why_host{};              ///< of a session with a GPU: why this step is the CPU's
  const void* tables = nullptr;             ///< the device kernel's own
  std::uint32_t shown = 0;                  ///< its number among the steps of the main graph
  std::uint32_t body_end[kMaxBodies] = {};  ///< one past the last step of each nested graph
  // Of a model with symbols:
  /// Where the host's kernel is made anew for other shapes; lives as long as the binding.
  std::pmr::monotonic_buffer_resource* region = nullptr;
  std::uint64_t packed_forms = 0;           ///< stands for the packed forms of its constants
  std::span<const Overwrite> overwrites{};  ///< what the plan relies on
};

/// Makes the GPU's kernels, with the algorithms that tuning found.
class DeviceMaker {
 public:
  /// `most_workspace`: bytes of scratch that no kernel may pass unless it can do with no less.
  DeviceMaker(backend::Device& device, tune::Tuner& tuner, std::uint64_t most_workspace) noexcept
      : device_(device), tuner_(tuner), most_workspace_(most_workspace) {}

  /// Node `index` of `count` comes next.
  void reach(std::size_t index, std::size_t count) const noexcept {
    tuner_.reach(static_cast<double>(index) / static_cast<double>(count));
  }

  /// The kernel of a node for the present shapes. Throws Error{unsupported} that says why there is
  /// none.
  KernelPtr make(const GraphNode& node, Shapes& now, std::pmr::memory_resource& memory) const {
    return make(node, now, memory, most_workspace_);
  }
  KernelPtr make(const GraphNode& node, Shapes& now, std::pmr::memory_resource& memory,
                 std::uint64_t most_workspace) const;

 private:
  backend::Device& device_;
  tune::Tuner& tuner_;
  std::uint64_t most_workspace_;
};

/// Stands for the packed forms that a kernel wants of its constants.
std::uint64_t packed_forms(const Kernel& kernel, std::size_t inputs) noexcept;

/// Throws Error{unsupported} when `kernel` cannot take the place of the step's, for which the
/// memory was planned.
void check_replacement(const Step& step, const GraphNode& node, const Kernel& kernel);

/// A constant in the form one or more kernels take it.
struct ConstantForm {
  std::int32_t buffer = -1;  ///< -1: tables that the kernel of `step` computes
  std::int32_t step = -1;    ///< whose kernel packs it; -1: as stored
  std::int32_t input = -1;
  Space space = Space::host;
  DType stored = DType::none;  ///< a 16-bit float that is read as float32; none: read as it is
  std::uint64_t offset = 0;    ///< in the weights block of its space
  std::uint64_t bytes = 0;
  std::uint64_t scratch = 0;
};

/// Which form of a constant operand `input` of step `step` points to; input -1: its tables.
struct ConstantUse {
  std::int32_t step = -1, input = -1;
  std::int32_t form = -1;
};

/// Every node with its kernel, and what the weights block holds. Nothing big is allocated yet.
struct Binding {
  explicit Binding(std::pmr::memory_resource& memory)
      : steps(&memory), forms(&memory), uses(&memory) {}
  std::pmr::vector<Step> steps;  ///< one a node, in order
  std::pmr::vector<ConstantForm> forms;
  std::pmr::vector<ConstantUse> uses;
  std::uint64_t weights_bytes = 0;
  std::uint64_t forms_key = 0;     ///< equal for bindings with the same forms
  std::uint64_t pack_scratch = 0;  ///< largest scratch of one pack()
  std::uint64_t device_weights_bytes = 0;
  std::uint64_t device_staging = 0;  ///< host memory that filling the device's weights takes
};

/// Makes the host's kernels for one instruction set and number of threads.
class KernelMaker {
 public:
  /// `memory` holds what looking at the largest shapes takes. `frugal`: see bind().
  KernelMaker(const Graph& graph, const cpu::KernelTable& table, int threads,
              std::span<const std::uint8_t> frugal, std::pmr::memory_resource& memory)
      : graph_(graph), largest_(graph, memory), table_(table), threads_(threads), frugal_(frugal) {}

  /// Throws what kernels throw. The kernel lives in `memory`.
  KernelPtr make(const GraphNode& node, Shapes& now, std::pmr::memory_resource& memory);
  /// Makes the kernel of a step anew, in the same place. Throws when the new one cannot take the
  /// old one's place; the step has no kernel then.
  void remake(Step& step, const GraphNode& node, Shapes& now);

 private:
  bool frugal(const GraphNode& node) const noexcept;

  const Graph& graph_;
  Shapes largest_;
  const cpu::KernelTable& table_;
  int threads_;
  std::span<const std::uint8_t> frugal_;
};

/// Makes the kernels of `graph`, the model's or what was made of it, the host's for the largest
/// shapes and the device's for the usual ones, and lays out the weights. With a `device` every node
/// goes there that it has a kernel for. `frugal`: per node, 1 where little memory counts more than
/// time; empty: nowhere. Kernels and result live in `memory`; `scratch` serves during the call.
/// Throws what kernels throw, naming the node.
Binding bind(const model::Verified& model, const Graph& graph, const cpu::KernelTable& table,
             int threads, std::span<const std::uint8_t> frugal, const DeviceMaker* device,
             std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch);

}  // namespace skiff
