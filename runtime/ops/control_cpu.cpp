#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// Stands for a node whose nested graphs the session walks itself.
class NestedKernel final : public Kernel {
 public:
  Status run(const RunArgs&) noexcept override {
    return Status(ErrorCode::internal, "a node with nested graphs has no kernel of its own");
  }
  const char* algorithm() const noexcept override { return "nested"; }
};

}  // namespace

KernelPtr make_if_else_cpu(const KernelSpec& spec) {
  return make_kernel<NestedKernel>(spec.memory);
}
KernelPtr make_loop_cpu(const KernelSpec& spec) { return make_if_else_cpu(spec); }
KernelPtr make_scan_cpu(const KernelSpec& spec) { return make_if_else_cpu(spec); }

// The variable is the last operand of a read, and where the result of an assignment lies.
KernelPtr make_read_variable_cpu(const KernelSpec& spec) { return make_identity_cpu(spec); }
KernelPtr make_assign_variable_cpu(const KernelSpec& spec) { return make_identity_cpu(spec); }

}  // namespace skiff
