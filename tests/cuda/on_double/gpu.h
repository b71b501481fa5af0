#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/cuda/double/control.h"

namespace skiff::test {

/// A usable GPU before every test; afterwards nothing may be left of it and nothing may have gone
/// wrong in its memory. Weights live as long as their model: destroy that inside the test.
class WithGpu {
 public:
  WithGpu() {
    setenv("SKIFF_CUDA_MODULE", SKIFF_EMULATED_MODULE, 0);  // mutations.sh names another one
    restore();
  }
  ~WithGpu() {
    EXPECT_EQ(std::string(cuda_double_complaints()), "");
    EXPECT_EQ(cuda_double_live() - live_, 0) << "memory of the GPU was not given back";
    EXPECT_EQ(cuda_double_objects() - objects_, 0) << "a stream, graph or handle is left";
    restore();
  }
  static void restore() {
    cuda_double_reset();
    cuda_double_set_device(&kOrin);
  }
  static constexpr cuda_double_device kOrin{1, 13000, 8, 7, 0, 1, 0};

 private:
  long live_ = cuda_double_live(), objects_ = cuda_double_objects();
};

}  // namespace skiff::test
