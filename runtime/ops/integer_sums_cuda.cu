#include "runtime/ops/integer_sums_cuda.h"

#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/ops/integer_results.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

/// Four numbers that are brought at once.
template <typename T>
struct alignas(4 * sizeof(T)) Four {
  T at[4];
};

__global__ void make_signed(std::int64_t words, const unsigned* x, unsigned* y) {
  const std::int64_t i = global_thread();
  if (i < words) y[i] = x[i] ^ 0x80808080u;
}

/// A thread four channels of a pixel.
template <typename Y>
__global__ void finish_sums(IntegerResults results, std::int64_t count, int channels,
                            const Four<int>* sums, const Four<int>* starts, Four<Y>* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const int four = static_cast<int>(i % (channels / 4));
  const Four<int> sum = sums[i], start = starts[four];
  Four<Y> made;
  for (int c = 0; c < 4; ++c) results.put(sum.at[c] + start.at[c], 4 * four + c, &made.at[c]);
  y[i] = made;
}

}  // namespace

void enqueue_signed(const LaunchArgs& args, const std::uint8_t* x, std::int64_t count,
                    std::int8_t* y) {
  const std::int64_t words = count / 4;
  check(Launch<make_signed>::run(blocks_for(words, kThreads), kThreads, args.stream(), words,
                                 reinterpret_cast<const unsigned*>(x),
                                 reinterpret_cast<unsigned*>(y)),
        "bytes to int8");
}

void enqueue_results(const LaunchArgs& args, const IntegerConvPlan& plan, const IntegerSums& from,
                     void* y) {
  const std::int64_t count = plan.outputs() / 4;
  const IntegerResults results{from.factors, from.bias, plan.rounding, plan.activation};
  const auto run = [&](auto type) {
    using Y = typename decltype(type)::type;
    check(Launch<finish_sums<Y>>::run(
              blocks_for(count, kThreads), kThreads, args.stream(), results, count,
              narrow(plan.geometry.cout), reinterpret_cast<const Four<int>*>(from.sums),
              reinterpret_cast<const Four<int>*>(from.starts), static_cast<Four<Y>*>(y)),
          "results of integers");
  };
  plan.to == DType::float32 ? run(std::type_identity<float>{})
                            : dispatch_narrow_integer(plan.to, run);
}

}  // namespace skiff::cuda
