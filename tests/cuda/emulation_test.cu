#include <gtest/gtest.h>
#include <skiff_device/launch.h>
#include <skiff_device/ptx.h>

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

/// d [16, 8] = a [16, 32] b [8, 32]' by one warp, a lane's numbers where the PTX manual has them
/// for mma.m16n8k32.
template <typename A>
__global__ void multiply_bytes(const A* a, const std::int8_t* b, int* d) {
  const unsigned lane = threadIdx.x, group = lane / 4, in_group = lane % 4;
  unsigned of_a[4] = {}, of_b[2] = {};
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned row = i < 4 || (i >= 8 && i < 12) ? group : group + 8;
    const unsigned column = in_group * 4 + (i & 3) + (i < 8 ? 0 : 16);
    of_a[i / 4] |= unsigned{static_cast<std::uint8_t>(a[row * 32 + column])} << 8 * (i % 4);
  }
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned row = in_group * 4 + (i & 3) + (i < 4 ? 0 : 16);
    of_b[i / 4] |= unsigned{static_cast<std::uint8_t>(b[group * 32 + row])} << 8 * (i % 4);
  }
  int sums[4] = {1000, 1000, 1000, 1000};
  multiply_add(sums, of_a, of_b[0], of_b[1], A{});
  for (unsigned i = 0; i < 4; ++i)
    d[(i < 2 ? group : group + 8) * 8 + in_group * 2 + (i & 1)] = sums[i];
}

/// A word a thread, zero for odd ones.
__global__ void copy_words(const int* from, int* to, bool waits) {
  __shared__ int kept[kThreads];
  copy_async<4>(&kept[threadIdx.x], from + threadIdx.x, threadIdx.x % 2 == 0);
  end_copy_group();
  if (waits) wait_copy_groups<0>();
  to[threadIdx.x] = kept[threadIdx.x];
}
__global__ void copy_askew(const char* from) {
  __shared__ int kept[1];
  copy_async<4>(kept, from + 2, true);
}

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

template <typename A>
void expect_products_of(cudaStream_t stream, A least) {
  void *a_memory = nullptr, *b_memory = nullptr, *d_memory = nullptr;
  ASSERT_EQ(cudaHostAlloc(&a_memory, 16 * 32, 0), cudaSuccess);
  ASSERT_EQ(cudaHostAlloc(&b_memory, 8 * 32, 0), cudaSuccess);
  ASSERT_EQ(cudaHostAlloc(&d_memory, 16 * 8 * sizeof(int), 0), cudaSuccess);
  auto* a = static_cast<A*>(a_memory);
  auto* b = static_cast<std::int8_t*>(b_memory);
  auto* d = static_cast<int*>(d_memory);
  for (int i = 0; i < 16 * 32; ++i) a[i] = static_cast<A>(least + (i * 167 + i / 256 * 77) % 256);
  for (int i = 0; i < 8 * 32; ++i) b[i] = static_cast<std::int8_t>(i * 91 % 256 - 128);
  ASSERT_EQ(Launch<multiply_bytes<A>>::run(1, 32, stream, a, b, d), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column) {
      int sum = 1000;
      for (int k = 0; k < 32; ++k) sum += int{a[row * 32 + k]} * int{b[column * 32 + k]};
      EXPECT_EQ(d[row * 8 + column], sum) << row << ", " << column;
    }
  for (void* memory : {a_memory, b_memory, d_memory}) cudaFreeHost(memory);
}

TEST_F(Emulation, ProductsOfBytes) {
  expect_products_of<std::int8_t>(stream_, -128);
  expect_products_of<std::uint8_t>(stream_, 0);
}

TEST_F(Emulation, WordsAreThereWhenTheirCopyIsWaitedFor) {
  std::iota(host(), host() + kThreads, 1);
  for (const bool waits : {false, true}) {
    ASSERT_EQ(Launch<copy_words>::run(1, kThreads, stream_, host(), device(), waits), cudaSuccess);
    int result[kThreads];
    cudaMemcpyAsync(result, device_, sizeof result, cudaMemcpyDeviceToHost, stream_);
    ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    for (int i = 0; i < kThreads; ++i) EXPECT_EQ(result[i], !waits ? -1 : i % 2 == 0 ? i + 1 : 0);
  }
}

TEST_F(Emulation, CopyFromAnUnalignedPlaceIsNamed) {
  ASSERT_EQ(Launch<copy_askew>::run(1, 1, stream_, static_cast<const char*>(host_)), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorLaunchFailure);
  EXPECT_NE(complaints().find("cp.async: an address is not aligned"), std::string::npos)
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
