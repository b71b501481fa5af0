#include <cstring>

#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// Moves bytes as they are: what is left of a view when its operand cannot be shared.
class CopyKernel final : public Kernel {
 public:
  explicit CopyKernel(std::size_t bytes) : bytes_(bytes) {}
  bool can_overwrite(int, int) const noexcept override { return true; }
  Status run(const RunArgs& args) noexcept override {
    if (args.outputs[0] != args.inputs[0] && bytes_ > 0)
      std::memcpy(args.outputs[0], args.inputs[0], bytes_);
    return {};
  }
  const char* algorithm() const noexcept override { return "copy"; }

 private:
  std::size_t bytes_;
};

}  // namespace

KernelPtr make_identity_cpu(const KernelSpec& spec) {
  return make_kernel<CopyKernel>(spec.memory, static_cast<std::size_t>(spec.output(0).bytes()));
}

KernelPtr make_reshape_cpu(const KernelSpec& spec) { return make_identity_cpu(spec); }

}  // namespace skiff
