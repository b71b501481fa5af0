#include "runtime/cuda/copy.h"
#include "runtime/cuda/kernels.h"

namespace skiff::cuda {

KernelPtr make_depth_to_space(const KernelSpec& spec) { return make_walk(spec); }
KernelPtr make_space_to_depth(const KernelSpec& spec) { return make_walk(spec); }

}  // namespace skiff::cuda
