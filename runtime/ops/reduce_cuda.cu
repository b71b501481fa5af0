#include <skiff_device/launch.h>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

using Function = fb::ReduceFunction;

/// x [outer, extent, inner] -> y [outer, inner].
struct Reduction {
  Function function;
  std::int64_t extent, inner;
};

__device__ float enter(Function f, float v) {
  switch (f) {
    case Function::l1:
      return fabsf(v);
    case Function::l2:
    case Function::sum_square:
      return v * v;
    default:
      return v;
  }
}

__device__ float leave(const Reduction& r, float v) {
  switch (r.function) {
    case Function::mean:
      return v / static_cast<float>(r.extent);
    case Function::l2:
      return sqrtf(v);
    case Function::log_sum:
      return logf(v);
    default:
      return v;
  }
}

/// A block an element of y, where few elements are left of many.
template <typename T, typename Fold>
__global__ void __launch_bounds__(kRowThreads) reduce_rows(Reduction r, const T* x, T* y) {
  const std::int64_t row = blockIdx.x;
  const std::int64_t start = row / r.inner * r.extent * r.inner + row % r.inner;
  Accumulator<Fold> row_part;
  for (std::int64_t i = threadIdx.x; i < r.extent; i += kRowThreads)
    row_part.add(enter(r.function, to_float(x[start + i * r.inner])));
  const float value = reduce_block<Fold>(row_part.result());
  if (threadIdx.x == 0) y[row] = from_float<T>(leave(r, value));
}

constexpr int kStripColumns = 32, kStripRows = 8;

/// A block 32 neighbouring columns, 8 threads each: reads lie side by side.
template <typename T, typename Fold>
__global__ void __launch_bounds__(kStripColumns* kStripRows)
    reduce_columns(Reduction r, const T* x, T* y) {
  __shared__ float parts[kStripRows][kStripColumns];
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kStripColumns + threadIdx.x;
  const std::int64_t start = blockIdx.y * r.extent * r.inner + column;
  Accumulator<Fold> part;
  if (column < r.inner)
    for (std::int64_t i = threadIdx.y; i < r.extent; i += kStripRows)
      part.add(enter(r.function, to_float(x[start + i * r.inner])));
  parts[threadIdx.y][threadIdx.x] = part.result();
  __syncthreads();
  if (threadIdx.y != 0 || column >= r.inner) return;
  float value = parts[0][threadIdx.x];
  for (int i = 1; i < kStripRows; ++i) value = Fold::of(value, parts[i][threadIdx.x]);
  y[blockIdx.y * r.inner + column] = from_float<T>(leave(r, value));
}

/// Calls f with the fold of a function.
template <typename F>
void dispatch_fold(Function function, F&& f) {
  switch (function) {
    case Function::maximum:
      return f(Maximum{});
    case Function::minimum:
      return f(Minimum{});
    case Function::product:
      return f(Product{});
    case Function::log_sum_exp:
    case Function::any:
    case Function::all:
      refuse("no GPU kernel for ", fb::EnumNameReduceFunction(function));
    default:
      return f(Sum{});
  }
}

class Reduce final : public Kernel {
 public:
  explicit Reduce(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const auto& attrs = spec.node.attrs<fb::ReduceAttrs>();
    const Shape& x = spec.input(0).shape;
    plan_ = {attrs.function(), 1, 1};
    read_axes(attrs, x);
    if (outer_ * plan_.inner == 0 || plan_.extent == 0) refuse("nothing to reduce");
    columns_ = plan_.inner >= kStripColumns && outer_ <= kMostRows;
    blocks_for(outer_ * plan_.inner, 1);
    dispatch_float(dtype_, [](auto) {});
    dispatch_fold(plan_.function, [](auto) {});
  }

  const char* algorithm() const noexcept override { return columns_ ? "columns" : "block a row"; }

  void enqueue(const LaunchArgs& args) override {
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      dispatch_fold(plan_.function, [&](auto fold) {
        using Fold = decltype(fold);
        const T* x = args.input<T>(0);
        T* y = args.output<T>(0);
        const dim3 strips(blocks_for(plan_.inner, kStripColumns), static_cast<unsigned>(outer_));
        check(columns_ ? Launch<reduce_columns<T, Fold>>::run(strips, {kStripColumns, kStripRows},
                                                              args.stream(), plan_, x, y)
                       : Launch<reduce_rows<T, Fold>>::run(blocks_for(outer_ * plan_.inner, 1),
                                                           kRowThreads, args.stream(), plan_, x, y),
              "reduce");
      });
    });
  }

 private:
  static constexpr std::int64_t kMostRows = 65535;

  /// Axes that are reduced must be neighbours, apart from axes of extent 1.
  void read_axes(const fb::ReduceAttrs& attrs, const Shape& x) {
    bool reduced[kMaxRank] = {};
    if (attrs.axes() != nullptr)
      for (const std::int64_t axis : *attrs.axes()) reduced[axis] = true;
    enum { before, inside, after } part = before;
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (x[axis] == 1) continue;
      if (part == before && reduced[axis]) part = inside;
      if (part == inside && !reduced[axis]) part = after;
      if (part == after && reduced[axis]) refuse("the reduced axes are not neighbours");
      (part == before ? outer_ : part == inside ? plan_.extent : plan_.inner) *= x[axis];
    }
  }

  DType dtype_;
  Reduction plan_{};
  std::int64_t outer_ = 1;
  bool columns_ = false;
};

}  // namespace

KernelPtr make_reduce(const KernelSpec& spec) { return make_kernel<Reduce>(spec.memory, spec); }

}  // namespace skiff::cuda
