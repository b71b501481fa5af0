#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/indices.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

// scatter_elements and scatter_nd: y = x, then the updates in their order, so that the last one of
// a place decides and sums are added up the same way on every run.
namespace skiff::cuda {
namespace {

using Reduction = fb::ScatterReduction;

constexpr int kThreads = 256;

/// Updates [outer, steps, inner], only those of one line along `steps` may fall on one element.
/// Runs of `block` of them go to one place.
struct Updates {
  std::int64_t elements, block, steps, inner;
};

template <typename T>
__device__ T combined(Reduction reduction, T a, T b) {
  const Computed<T> x = load(a), y = load(b);
  switch (reduction) {
    case Reduction::maximum:
      return x != x ? a : y > x || y != y ? b : a;
    case Reduction::minimum:
      return x != x ? a : y < x || y != y ? b : a;
    case Reduction::add:
    case Reduction::mul:
      if constexpr (std::is_integral_v<T>) {  // wraps
        const auto u = static_cast<std::uint64_t>(x), v = static_cast<std::uint64_t>(y);
        return static_cast<T>(reduction == Reduction::add ? u + v : u * v);
      } else {
        return store<T>(reduction == Reduction::add ? x + y : x * y);
      }
    default:
      return b;
  }
}

/// A thread a line of updates, one after the other. An index that is out of range sets `bad_value`.
template <typename T, typename Places>
__global__ void scatter_lines(Updates u, Reduction reduction, Places places, Indices indices,
                              const T* updates, T* y, std::int32_t* bad_value) {
  const std::int64_t line = global_thread();
  if (line >= u.elements / u.steps) return;
  std::int64_t i = line / u.inner * u.steps * u.inner + line % u.inner;
  for (std::int64_t step = 0; step < u.steps; ++step, i += u.inner) {
    const std::int64_t n = i / u.block, place = places.place(indices, n);
    if (place < 0) {
      *bad_value = 1;
      return;
    }
    T& to = y[place * u.block + (i - n * u.block)];
    to = combined(reduction, to, updates[i]);
  }
}

/// last[place] = the greatest n that goes there; 0 before.
template <typename Places>
__global__ void find_last(std::int64_t count, Places places, Indices indices, std::int32_t* last,
                          std::int32_t* bad_value) {
  const std::int64_t n = global_thread();
  if (n >= count) return;
  const std::int64_t place = places.place(indices, n);
  if (place >= 0) {
    atomicMax(last + place, static_cast<std::int32_t>(n));
  } else {
    *bad_value = 1;
  }
}

template <typename T, typename Places>
__global__ void write_last(Updates u, Places places, Indices indices, const std::int32_t* last,
                           const T* updates, T* y) {
  const std::int64_t i = global_thread();
  if (i >= u.elements) return;
  const std::int64_t n = i / u.block, place = places.place(indices, n);
  if (place >= 0 && last[place] == n) y[place * u.block + (i - n * u.block)] = updates[i];
}

template <typename Places>
class Scatter final : public Kernel {
 public:
  Scatter(const KernelSpec& spec, const Places& places, const Updates& updates)
      : dtype_(spec.input(0).dtype),
        index_type_(spec.input(1).dtype),
        reduction_(spec.node.attrs<fb::ScatterAttrs>().reduction()),
        bytes_(static_cast<std::size_t>(spec.input(0).bytes())),
        places_(places),
        updates_(updates) {
    narrow(updates.elements);
    if (reduction_ != Reduction::none) dispatch_number(dtype_, [](auto) {});
    if (updates.elements == 0 || updates.steps <= kFew) return;
    if (reduction_ != Reduction::none && updates.steps > kMost)
      refuse("up to ", updates.steps, " updates of one element, which are made one by one");
    if (reduction_ == Reduction::none)
      last_bytes_ =
          static_cast<std::size_t>(spec.input(0).elements() / updates.block) * sizeof(std::int32_t);
  }

  std::size_t workspace_bytes() const noexcept override { return last_bytes_; }
  bool can_overwrite(int input) const noexcept override { return input == 0; }
  const char* algorithm() const noexcept override {
    return last_bytes_ > 0 ? "last update" : "thread a line";
  }

  void enqueue(const LaunchArgs& args) override {
    auto* y = args.output<void>(0);
    if (y != args.input<void>(0) && bytes_ > 0)
      check(
          cudaMemcpyAsync(y, args.input<void>(0), bytes_, cudaMemcpyDeviceToDevice, args.stream()),
          "cudaMemcpyAsync");
    if (updates_.elements == 0) return;
    if (reduction_ != Reduction::none) {
      dispatch_number(dtype_, [&](auto type) { run_lines<typename decltype(type)::type>(args); });
      return;
    }
    dispatch_size(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      last_bytes_ > 0 ? run_last<T>(args) : run_lines<T>(args);
    });
  }

 private:
  /// Lines that are shorter are written in order also where only the last update counts.
  static constexpr std::int64_t kFew = 32;
  static constexpr std::int64_t kMost = 1024;

  template <typename T>
  void run_lines(const LaunchArgs& args) const {
    check(Launch<scatter_lines<T, Places>>::run(
              blocks_for(updates_.elements / updates_.steps, kThreads), kThreads, args.stream(),
              updates_, reduction_, places_, indices(args), args.input<T>(2), args.output<T>(0),
              args.bad_value()),
          "scatter");
  }
  template <typename T>
  void run_last(const LaunchArgs& args) const {
    auto* last = static_cast<std::int32_t*>(args.workspace());
    const std::int64_t count = updates_.elements / updates_.block;
    check(cudaMemsetAsync(last, 0, last_bytes_, args.stream()), "cudaMemsetAsync");
    check(Launch<find_last<Places>>::run(blocks_for(count, kThreads), kThreads, args.stream(),
                                         count, places_, indices(args), last, args.bad_value()),
          "scatter");
    check(Launch<write_last<T, Places>>::run(blocks_for(updates_.elements, kThreads), kThreads,
                                             args.stream(), updates_, places_, indices(args), last,
                                             args.input<T>(2), args.output<T>(0)),
          "scatter");
  }
  Indices indices(const LaunchArgs& args) const {
    return Indices(args.input<void>(1), index_type_);
  }

  DType dtype_, index_type_;
  Reduction reduction_;
  std::size_t bytes_, last_bytes_ = 0;
  Places places_;
  Updates updates_;
};

}  // namespace

KernelPtr make_scatter_elements(const KernelSpec& spec) {
  const Shape& indices = spec.input(1).shape;
  const int axis = static_cast<int>(spec.node.attrs<fb::ScatterAttrs>().axis());
  const AxisSplit split = split_at(indices, axis);
  return make_kernel<Scatter<AxisPlaces>>(
      spec.memory, spec, AxisPlaces(spec.input(0).shape, indices, axis),
      Updates{indices.elements(), 1, split.extent, split.inner});
}

KernelPtr make_scatter_nd(const KernelSpec& spec) {
  const Shape &x = spec.input(0).shape, &indices = spec.input(1).shape;
  const std::int64_t block = x.elements(static_cast<int>(indices.back()), x.rank());
  const std::int64_t count = indices.elements(0, indices.rank() - 1);
  return make_kernel<Scatter<TuplePlaces>>(spec.memory, spec, TuplePlaces(x, indices, 0),
                                           Updates{count * block, block, count, block});
}

}  // namespace skiff::cuda
