#include "runtime/ops/copy_kernel.h"
#include "runtime/ops/ops.h"

namespace skiff {

KernelPtr make_depth_to_space_cpu(const KernelSpec& spec) { return make_walk_cpu(spec); }
KernelPtr make_space_to_depth_cpu(const KernelSpec& spec) { return make_walk_cpu(spec); }

}  // namespace skiff
