#include "runtime/ops/copy_kernel.h"
#include "runtime/ops/ops.h"

namespace skiff {

KernelPtr make_slice_cpu(const KernelSpec& spec) { return make_walk_cpu(spec); }

}  // namespace skiff
