#include <gtest/gtest.h>

#include "gpu.h"
#include "runtime/backend/device.h"
#include "runtime/backend/module.h"

// What context and libraries take is told apart from what is allocated.
namespace skiff::test {
namespace {

const skiff_backend& module() {
  std::string why;
  const skiff_backend* const table = backend::module(why);
  EXPECT_NE(table, nullptr) << why;
  return *table;
}

TEST(Footprint, IsTheContextsAlone) {
  const WithGpu gpu;
  const backend::Device device(module(), 0);
  EXPECT_EQ(device.footprint(), kCudaDoubleContext);
  {
    const backend::Memory block = device.allocate(backend::MemoryKind::device, 3000);
    const backend::Memory pinned = device.allocate(backend::MemoryKind::pinned, 5000);
    EXPECT_EQ(device.footprint(), kCudaDoubleContext);
  }
  EXPECT_EQ(device.footprint(), kCudaDoubleContext);
  const backend::Device second(module(), 0);
  EXPECT_EQ(second.footprint(), kCudaDoubleContext);
}

/// The management library knows only the first one.
TEST(Footprint, IsNotTheWholeMachinesWhereItCannotBeTold) {
  const WithGpu gpu;
  constexpr cuda_double_device kTwo{2, 13000, 8, 7, 0, 1, 0};
  cuda_double_set_device(&kTwo);
  EXPECT_EQ(backend::Device(module(), 1).footprint(), 0u);
}

/// There it is what the machine has less than before, other programs' doing included.
TEST(Footprint, OfAnIntegratedGpuIsReadFromTheSystem) {
  const WithGpu gpu;
  constexpr cuda_double_device kThree{3, 13000, 8, 7, 1, 1, 0};
  cuda_double_set_device(&kThree);
  EXPECT_LT(backend::Device(module(), 2).footprint(), std::uint64_t{1} << 40);
}

}  // namespace
}  // namespace skiff::test
