#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/ops/strided.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

/// Lines of `extent` elements, `inner` apart.
struct Lines {
  std::int64_t extent, inner;
  bool product, exclusive, reverse;

  __device__ std::int64_t start(std::int64_t line) const {
    return line / inner * extent * inner + line % inner;
  }
  __device__ std::int64_t offset(std::int64_t i) const {
    return (reverse ? extent - 1 - i : i) * inner;
  }
};

/// What is added up: doubles for floats, integers that wrap else.
template <typename T>
using Total = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

template <typename U>
__device__ U joined(const Lines& lines, U a, U b) {
  return lines.product ? a * b : a + b;
}

/// Entries [begin, end) of a line on top of `total`, which grows by them; a null y is not written.
template <typename T>
__device__ void cumulate(const Lines& lines, std::int64_t begin, std::int64_t end, const T* x, T* y,
                         Total<T>& total) {
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t at = lines.offset(i);
    const Total<T> before = total;
    total = joined(lines, total, static_cast<Total<T>>(load(x[at])));
    if (y != nullptr) y[at] = store<T>(static_cast<Computed<T>>(lines.exclusive ? before : total));
  }
}

/// A thread a line.
template <typename T>
__global__ void cumulate_lines(Lines lines, std::int64_t count, const T* x, T* y) {
  const std::int64_t line = global_thread();
  if (line >= count) return;
  const std::int64_t start = lines.start(line);
  Total<T> total = lines.product ? 1 : 0;
  cumulate(lines, 0, lines.extent, x + start, y + start, total);
}

/// A block a line: each thread totals a piece of it, then knows what lies before its own.
template <typename T>
__global__ void __launch_bounds__(kThreads) cumulate_pieces(Lines lines, const T* x, T* y) {
  __shared__ Total<T> totals[kThreads];
  const std::int64_t start = lines.start(blockIdx.x);
  const std::int64_t piece = (lines.extent + kThreads - 1) / kThreads;
  const std::int64_t begin = min(threadIdx.x * piece, lines.extent);
  const std::int64_t end = min(begin + piece, lines.extent);
  const Total<T> neutral = lines.product ? 1 : 0;
  Total<T> total = neutral;
  cumulate<T>(lines, begin, end, x + start, nullptr, total);
  totals[threadIdx.x] = total;
  __syncthreads();  // every piece has its total
  for (int reach = 1; reach < kThreads; reach *= 2) {
    const int from = static_cast<int>(threadIdx.x) - reach;
    const Total<T> before = from >= 0 ? totals[from] : neutral;
    __syncthreads();  // all have read
    totals[threadIdx.x] = joined(lines, before, totals[threadIdx.x]);
    __syncthreads();  // all have written
  }
  total = threadIdx.x > 0 ? totals[threadIdx.x - 1] : neutral;
  cumulate(lines, begin, end, x + start, y + start, total);
}

class Cumulative final : public Kernel {
 public:
  explicit Cumulative(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const auto& attrs = spec.node.attrs<fb::CumulativeAttrs>();
    const AxisSplit split = split_at(spec.input(0).shape, static_cast<int>(attrs.axis()));
    lines_ = {split.extent, split.inner, attrs.function() == fb::CumulativeFunction::product,
              attrs.exclusive(), attrs.reverse()};
    count_ = split.extent == 0 ? 0 : split.outer * split.inner;
    in_pieces_ = split.extent >= kLong && count_ <= kFew;
    blocks_for(count_, 1);
    dispatch_number(dtype_, [](auto) {});
  }

  bool can_overwrite(int) const noexcept override { return true; }
  const char* algorithm() const noexcept override {
    return in_pieces_ ? "block a line" : "thread a line";
  }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_number(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T* x = args.input<T>(0);
      T* y = args.output<T>(0);
      check(in_pieces_ ? Launch<cumulate_pieces<T>>::run(blocks_for(count_, 1), kThreads,
                                                         args.stream(), lines_, x, y)
                       : Launch<cumulate_lines<T>>::run(blocks_for(count_, kThreads), kThreads,
                                                        args.stream(), lines_, count_, x, y),
            "cumulative");
    });
  }

 private:
  /// Few long lines leave a GPU of a thread a line idle.
  static constexpr std::int64_t kLong = 64, kFew = 8192;

  DType dtype_;
  Lines lines_{};
  std::int64_t count_ = 0;
  bool in_pieces_ = false;
};

}  // namespace

KernelPtr make_cumulative(const KernelSpec& spec) {
  return make_kernel<Cumulative>(spec.memory, spec);
}

}  // namespace skiff::cuda
