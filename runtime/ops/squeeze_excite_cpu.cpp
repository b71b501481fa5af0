#include <algorithm>

#include "runtime/core/checked.h"
#include "runtime/ops/parts_cpu.h"
#include "runtime/ops/squeeze_excite.h"

namespace skiff {
namespace {

using Role = SqueezeExcite;

/// The parts' own kernels one after another: a session without a GPU leaves the nodes as they are,
/// so this is what a GPU's session falls back on.
class SqueezeExciteKernel final : public PartsKernel {
 public:
  explicit SqueezeExciteKernel(const KernelSpec& spec)
      : PartsKernel(spec.node.attrs<SqueezeExcite>().used()),
        net_(spec.node.attrs<SqueezeExcite>()) {
    const PartsView view(spec.node, net_.used()), widest(spec.widest(), net_.used());
    for (int p = 0; p < net_.count; ++p) {
      set_kernel(p, net_.parts[at(p)].def->make_cpu({.node = view.part(p),
                                                     .outputs = {&view.result(p), 1},
                                                     .table = spec.table,
                                                     .threads = spec.threads,
                                                     .memory = spec.memory,
                                                     .largest = &widest.part(p),
                                                     .frugal = spec.frugal}));
      scratch_ =
          std::max(scratch_, aligned(static_cast<std::int64_t>(kernel(p).workspace_bytes())));
      if (p < Role::scale) small_[at(p)] = aligned(view.result(p).bytes());
    }
  }

  std::size_t workspace_bytes() const noexcept override {
    return scratch_ + small_[Role::mean] + small_[Role::reduce] + small_[Role::expand];
  }

  /// The sum is made over the product, in the result's memory.
  Status run(const RunArgs& args) noexcept override {
    std::byte* small = static_cast<std::byte*>(args.workspace) + scratch_;
    const void* before = nullptr;
    for (int p = 0; p < net_.count; ++p) {
      const Part& step = net_.parts[at(p)];
      std::array<const void*, 4> inputs{};
      for (std::size_t i = 0; i < inputs.size(); ++i)
        inputs[i] = step.operands[i] == Part::kPrevious ? before
                    : step.operands[i] < 0              ? nullptr
                                                        : args.inputs[at(step.operands[i])];
      void* result = p < Role::scale ? small : args.outputs[0];
      const Status status =
          kernel(p).run({inputs.data(), &result, args.workspace, args.pool, nullptr});
      if (!status.ok()) return status;
      before = result;
      if (p < Role::scale) small += small_[at(p)];
    }
    return {};
  }

  const char* algorithm() const noexcept override { return "part by part"; }

 private:
  static std::size_t aligned(std::int64_t bytes) noexcept {
    return static_cast<std::size_t>(round_up(bytes, 64));
  }

  const SqueezeExcite& net_;
  std::array<std::size_t, Role::scale> small_{};  // bytes of the results before the product
  std::size_t scratch_ = 0;                       // of any part
};

}  // namespace

KernelPtr make_squeeze_excite_cpu(const KernelSpec& spec) {
  return make_kernel<SqueezeExciteKernel>(spec.memory, spec);
}

}  // namespace skiff
