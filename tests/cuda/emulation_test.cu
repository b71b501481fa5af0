#include <gtest/gtest.h>
#include <skiff_device/launch.h>

#include <numeric>
#include <string>
#include <vector>

#include "tests/cuda/double/control.h"

// Do the double and the emulation notice what they are there for? Kernels with a fault on purpose.
namespace skiff::cuda {
namespace {

constexpr int kThreads = 64;

template <bool kWaits>
__global__ void reverse(const int* from, int* to) {
  __shared__ int kept[kThreads];
  kept[threadIdx.x] = from[threadIdx.x];
  if (kWaits) __syncthreads();
  to[threadIdx.x] = kept[kThreads - 1 - threadIdx.x];
}

/// Whole warps only.
__global__ void exchange(int* to) { to[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1, 1); }

__global__ void write_at(int* to, int place) { to[place] = 1; }

/// Memory of the GPU and pinned memory, and a stream.
class Emulation : public ::testing::Test {
 protected:
  void SetUp() override {
    cuda_double_reset();
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, 0), cudaSuccess);
    ASSERT_EQ(cudaMalloc(&device_, kThreads * sizeof(int)), cudaSuccess);
    ASSERT_EQ(cudaHostAlloc(&host_, kThreads * sizeof(int), 0), cudaSuccess);
  }
  void TearDown() override {
    cuda_double_reset();
    cudaFree(device_);
    cudaFreeHost(host_);
    cudaStreamDestroy(stream_);
    cuda_double_reset();
    setenv("SKIFF_THREAD_ORDER", "0", 1);
  }
  int* device() const { return static_cast<int*>(device_); }
  int* host() const { return static_cast<int*>(host_); }
  static std::string complaints() { return cuda_double_complaints(); }

  /// What a reversal gives in an order of the threads.
  template <bool kWaits>
  std::vector<int> reversed(int order) {
    setenv("SKIFF_THREAD_ORDER", std::to_string(order).c_str(), 1);
    std::iota(host(), host() + kThreads, 1);
    EXPECT_EQ((Launch<reverse<kWaits>>::run(1, kThreads, stream_, host(), device())), cudaSuccess);
    std::vector<int> result(kThreads);
    cudaMemcpyAsync(result.data(), device_, kThreads * sizeof(int), cudaMemcpyDeviceToHost,
                    stream_);
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    return result;
  }

  cudaStream_t stream_ = nullptr;
  void *device_ = nullptr, *host_ = nullptr;
};

TEST_F(Emulation, BarrierHoldsInEveryOrder) {
  for (int order = 0; order < 3; ++order) {
    const std::vector<int> result = reversed<true>(order);
    for (int i = 0; i < kThreads; ++i) EXPECT_EQ(result[static_cast<std::size_t>(i)], kThreads - i);
  }
}

TEST_F(Emulation, MissingBarrierShows) {
  // The block's shared memory starts with what the last one left there.
  EXPECT_NE(reversed<false>(0), reversed<false>(1));
}

TEST_F(Emulation, ExchangeThatNotAllReachIsNamed) {
  ASSERT_EQ(Launch<exchange>::run(1, kThreads / 4, stream_, device()), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorLaunchFailure);
  EXPECT_NE(complaints().find("16 of 16 threads wait for ever, the first is thread 0"),
            std::string::npos)
      << complaints();
}

TEST_F(Emulation, WritePastTheEndShowsWhenFreed) {
  ASSERT_EQ(Launch<write_at>::run(1, 1, stream_, device(), kThreads - 1), cudaSuccess);
  void* small = nullptr;
  ASSERT_EQ(cudaMalloc(&small, sizeof(int)), cudaSuccess);
  EXPECT_EQ(complaints(), "");
  ASSERT_EQ(Launch<write_at>::run(1, 1, stream_, static_cast<int*>(small), 1), cudaSuccess);
  cudaFree(small);
  EXPECT_NE(complaints().find("write past the end"), std::string::npos);
}

TEST_F(Emulation, ResultsAreNotThereBeforeAWait) {
  host()[0] = 7;
  ASSERT_EQ(Launch<write_at>::run(1, 1, stream_, host(), 0), cudaSuccess);
  EXPECT_EQ(host()[0], 7);
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(host()[0], 1);
}

TEST_F(Emulation, FreshMemoryIsNoNumber) {
  float value = 0;
  cudaMemcpyAsync(&value, device_, sizeof(value), cudaMemcpyDeviceToHost, stream_);
  cudaStreamSynchronize(stream_);
  EXPECT_NE(value, value);
}

TEST_F(Emulation, WaitingInACaptureSpoilsIt) {
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_NE(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_NE(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
}

TEST_F(Emulation, UnknownMemoryCannotBeFreed) {
  EXPECT_NE(cudaFree(host_), cudaSuccess);
  EXPECT_NE(complaints(), "");
}

using EmulationDeathTest = Emulation;
TEST_F(EmulationDeathTest, HostMayNotTouchDeviceMemory) {
  EXPECT_EXIT({ *static_cast<volatile int*>(device_) = 1; }, [](int) { return true; }, "");
}

}  // namespace
}  // namespace skiff::cuda
