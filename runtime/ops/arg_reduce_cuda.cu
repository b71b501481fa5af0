#include <skiff_device/launch.h>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/cuda/order.cuh"
#include "runtime/ops/strided.h"

namespace skiff::cuda {
namespace {

/// x [outer, extent, inner] -> y [outer, inner], indices of the smallest keys.
struct ArgLines {
  KeyOrder order;
  std::int64_t outer, extent, inner;
  bool last;  ///< of equal ones the last wins
  bool wide;  ///< indices are int64

  /// Where a line begins in x.
  __device__ std::int64_t start(std::int64_t line) const {
    return line / inner * extent * inner + line % inner;
  }
};

struct Earliest {
  template <typename P>
  __device__ static P of(const P& a, const P& b) {
    return b < a ? b : a;
  }
};

/// The first place among elements `first`, `first + step`, ... of a line.
template <typename Bits>
__device__ Place<Bits> search(const ArgLines& lines, const Bits* line, std::int64_t first,
                              int step) {
  Place<Bits> best = no_place<Bits>();
  for (std::int64_t i = first; i < lines.extent; i += step) {
    const auto index = static_cast<std::uint32_t>(i);
    best = Earliest::of(best,
                        place_of(lines.order, line[i * lines.inner], lines.last ? ~index : index));
  }
  return best;
}

template <typename P>
__device__ void write_index(const ArgLines& lines, const P& place, void* y, std::int64_t line) {
  const std::uint32_t index = lines.last ? ~index_of(place) : index_of(place);
  if (lines.wide)
    static_cast<std::int64_t*>(y)[line] = index;
  else
    static_cast<std::int32_t*>(y)[line] = static_cast<std::int32_t>(index);
}

/// A warp a line.
template <typename Bits>
__global__ void __launch_bounds__(kRowThreads)
    search_short(ArgLines lines, const Bits* x, void* y) {
  const std::int64_t line = global_thread() / kLanes;
  if (line >= lines.outer * lines.inner) return;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const auto best = reduce_warp<Earliest>(search(lines, x + lines.start(line), lane, kLanes));
  if (lane == 0) write_index(lines, best, y, line);
}

/// A block a line.
template <typename Bits>
__global__ void __launch_bounds__(kRowThreads) search_long(ArgLines lines, const Bits* x, void* y) {
  const std::int64_t line = blockIdx.x;
  const auto best =
      reduce_block<Earliest>(search(lines, x + lines.start(line), threadIdx.x, kRowThreads));
  if (threadIdx.x == 0) write_index(lines, best, y, line);
}

constexpr int kStripColumns = 32, kStripRows = 8;

/// A block 32 neighbouring lines, 8 threads each: reads lie side by side.
template <typename Bits>
__global__ void __launch_bounds__(kStripColumns* kStripRows)
    search_columns(ArgLines lines, const Bits* x, void* y) {
  __shared__ Place<Bits> parts[kStripRows][kStripColumns];
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kStripColumns + threadIdx.x;
  const bool inside = column < lines.inner;
  const std::int64_t line = blockIdx.y * lines.inner + column;
  parts[threadIdx.y][threadIdx.x] =
      inside ? search(lines, x + lines.start(line), threadIdx.y, kStripRows) : no_place<Bits>();
  __syncthreads();
  if (threadIdx.y != 0 || !inside) return;
  Place<Bits> best = parts[0][threadIdx.x];
  for (int row = 1; row < kStripRows; ++row) best = Earliest::of(best, parts[row][threadIdx.x]);
  write_index(lines, best, y, line);
}

class ArgReduce final : public Kernel {
 public:
  explicit ArgReduce(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const auto& attrs = spec.node.attrs<fb::ArgReduceAttrs>();
    const AxisSplit split = split_at(spec.input(0).shape, static_cast<int>(attrs.axis()));
    // Bools are searched as the bytes they are.
    plan_ = {key_order(dtype_ == DType::boolean ? DType::uint8 : dtype_,
                       attrs.function() == fb::ArgFunction::maximum, true),
             split.outer,
             narrow(split.extent),
             split.inner,
             attrs.select_last_index(),
             spec.output(0).dtype == DType::int64};
    lines_ = blocks_for(split.outer * split.inner, 1);
    form_ = split.inner >= kStripColumns && split.outer <= kMostGridRows ? columns
            : split.extent <= kShort                                     ? warps
                                                                         : blocks;
  }

  const char* algorithm() const noexcept override {
    return form_ == columns ? "columns" : form_ == warps ? "warp a line" : "block a line";
  }

  void enqueue(const LaunchArgs& args) override {
    if (lines_ == 0) return;
    dispatch_size(dtype_, [&](auto type) { run<typename decltype(type)::type>(args); });
  }

 private:
  static constexpr std::int64_t kMostGridRows = 65535;
  static constexpr std::int64_t kShort = 1024;

  template <typename Bits>
  void run(const LaunchArgs& args) const {
    const auto* x = args.input<Bits>(0);
    auto* y = args.output<void>(0);
    if (form_ == columns)
      check(Launch<search_columns<Bits>>::run(
                dim3(blocks_for(plan_.inner, kStripColumns), static_cast<unsigned>(plan_.outer)),
                dim3(kStripColumns, kStripRows), args.stream(), plan_, x, y),
            "arg_reduce");
    else if (form_ == warps)
      check(Launch<search_short<Bits>>::run(blocks_for(lines_, kRowThreads / kLanes), kRowThreads,
                                            args.stream(), plan_, x, y),
            "arg_reduce");
    else
      check(Launch<search_long<Bits>>::run(lines_, kRowThreads, args.stream(), plan_, x, y),
            "arg_reduce");
  }

  DType dtype_;
  ArgLines plan_{};
  unsigned lines_ = 0;
  enum { warps, blocks, columns } form_ = warps;
};

}  // namespace

KernelPtr make_arg_reduce(const KernelSpec& spec) {
  return make_kernel<ArgReduce>(spec.memory, spec);
}

}  // namespace skiff::cuda
