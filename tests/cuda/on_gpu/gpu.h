#pragma once

namespace skiff::test {

/// The GPU of this machine: there is nothing to set up and nothing that could be looked at. Its
/// module is the one that SKIFF_CUDA_MODULE names or that lies beside the test.
struct WithGpu {
  WithGpu() {}  // NOLINT: an object of it is meant to be there
  ~WithGpu() {}
};

}  // namespace skiff::test
