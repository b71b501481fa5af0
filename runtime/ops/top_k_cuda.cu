#include <skiff_device/launch.h>

#include <algorithm>
#include <bit>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/cuda/order.cuh"
#include "runtime/cuda/sort.cuh"
#include "runtime/ops/strided.h"

// Pieces of a line are sorted, each by one block; then runs of places are merged, several into one,
// until each line has one run. A run never keeps more than k places.
namespace skiff::cuda {
namespace {

constexpr int kThreads = kSortThreads, kSlots = kSortSlots, kFan = kSortFan;

/// x [outer, extent, inner] -> values and indices [outer, k, inner].
struct TopKLines {
  KeyOrder order;
  std::int64_t count, extent, inner, k;

  /// Where an element of a line with `length` of them stands.
  __device__ std::int64_t element(std::int64_t line, std::int64_t length, std::int64_t i) const {
    return (line / inner * length + i) * inner + line % inner;
  }
};

/// The runs of a line: each holds the first places of `span` neighbouring elements, the last of
/// fewer.
struct Runs {
  std::int64_t span, count;  ///< `count` of a line
  std::int64_t room;         ///< places

  __host__ __device__ Runs merged(std::int64_t k) const {
    return {span * kFan, (count + kFan - 1) / kFan, k < span * kFan ? k : span * kFan};
  }
  __device__ std::int64_t length(const TopKLines& lines, std::int64_t run) const {
    const std::int64_t covered = lines.extent - run * span;
    return covered < room ? covered : room;
  }
};

template <typename Bits>
struct Results {
  const Bits* x;
  Bits* values;
  std::int64_t* indices;

  __device__ void put(const TopKLines& lines, std::int64_t line, std::int64_t rank,
                      const Place<Bits>& place) const {
    const std::int64_t to = lines.element(line, lines.k, rank), index = index_of(place);
    values[to] = x[lines.element(line, lines.extent, index)];
    indices[to] = index;
  }
};

/// Makes the first runs, kSlots / span of them a block. A line's only run is its result.
template <typename Bits>
__global__ void __launch_bounds__(kThreads)
    sort_runs(TopKLines lines, Runs runs, Results<Bits> results, Place<Bits>* write) {
  __shared__ Place<Bits> places[kSlots];
  const int span = static_cast<int>(runs.span);
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * (kSlots / span);
  for (int slot = static_cast<int>(threadIdx.x); slot < kSlots; slot += kThreads) {
    const std::int64_t number = first + slot / span, line = number / runs.count;
    const std::int64_t i = number % runs.count * span + slot % span;
    places[slot] = line < lines.count && i < lines.extent
                       ? place_of(lines.order, results.x[lines.element(line, lines.extent, i)],
                                  static_cast<std::uint32_t>(i))
                       : no_place<Bits>();
  }
  sort_slots(places, span);
  for (int slot = static_cast<int>(threadIdx.x); slot < kSlots; slot += kThreads) {
    const std::int64_t number = first + slot / span, line = number / runs.count;
    const int rank = slot % span;
    if (line >= lines.count || rank >= runs.length(lines, number % runs.count)) continue;
    if (runs.count == 1)
      results.put(lines, line, rank, places[slot]);
    else
      write[number * runs.room + rank] = places[slot];
  }
}

/// A thread a place: its rank among kFan runs says where it goes.
template <typename Bits>
__global__ void __launch_bounds__(kThreads)
    merge_runs(TopKLines lines, Runs runs, const Place<Bits>* read, Place<Bits>* write,
               Results<Bits> results) {
  const std::int64_t i = global_thread(), number = i / runs.room;
  const std::int64_t line = number / runs.count, run = number % runs.count;
  std::int64_t rank = i % runs.room;
  if (line >= lines.count || rank >= runs.length(lines, run)) return;
  const Place<Bits> own = read[i];
  const Runs to = runs.merged(lines.k);
  const std::int64_t begin = run / kFan * kFan;
  for (std::int64_t other = begin; other < begin + kFan && other < runs.count; ++other)
    if (other != run && rank < to.room)
      rank += count_before(read + (line * runs.count + other) * runs.room,
                           runs.length(lines, other), own);
  if (rank >= to.room) return;
  if (to.count == 1)
    results.put(lines, line, rank, own);
  else
    write[(line * to.count + run / kFan) * to.room + rank] = own;
}

class TopK final : public Kernel {
 public:
  explicit TopK(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const auto& attrs = spec.node.attrs<fb::TopKAttrs>();
    const int axis = static_cast<int>(attrs.axis());
    const AxisSplit split = split_at(spec.input(0).shape, axis);
    const std::int64_t k = spec.output(0).shape[axis];
    lines_ = {key_order(dtype_, attrs.largest(), attrs.largest()), split.outer * split.inner,
              narrow(split.extent), split.inner, k};
    if (lines_.count * k == 0) return;
    const auto span = static_cast<std::int64_t>(
        std::bit_ceil(static_cast<std::uint64_t>(std::min<std::int64_t>(split.extent, kSlots))));
    first_ = {span, ceil_div(split.extent, span), std::min(k, span)};
    plan_workspace();
  }

  std::size_t workspace_bytes() const noexcept override { return bytes_[0] + bytes_[1]; }
  const char* algorithm() const noexcept override {
    return first_.count > 1 ? "sort and merge" : "sort";
  }

  void enqueue(const LaunchArgs& args) override {
    if (lines_.count * lines_.k == 0) return;
    dispatch_size(dtype_, [&](auto type) { run<typename decltype(type)::type>(args); });
  }

 private:
  /// The places of all lines; runs are read from one half of the workspace and written to the
  /// other.
  void plan_workspace() {
    const std::size_t size =
        size_of(dtype_) < sizeof(std::uint64_t) ? sizeof(Place<std::uint8_t>) : sizeof(WidePlace);
    int half = 0;
    blocks_for(lines_.count * first_.count, static_cast<int>(kSlots / first_.span));
    for (Runs runs = first_; runs.count > 1; runs = runs.merged(lines_.k), half = 1 - half) {
      const std::int64_t places = lines_.count * runs.count * runs.room;
      blocks_for(places, kThreads);
      bytes_[half] = std::max(bytes_[half], static_cast<std::size_t>(places) * size);
    }
  }

  template <typename Bits>
  void run(const LaunchArgs& args) const {
    auto* read = static_cast<Place<Bits>*>(args.workspace());
    auto* write = read + bytes_[0] / sizeof(Place<Bits>);
    const Results<Bits> results{args.input<Bits>(0), args.output<Bits>(0),
                                args.output<std::int64_t>(1)};
    const unsigned blocks =
        blocks_for(lines_.count * first_.count, static_cast<int>(kSlots / first_.span));
    check(Launch<sort_runs<Bits>>::run(blocks, kThreads, args.stream(), lines_, first_, results,
                                       read),
          "top_k");
    for (Runs runs = first_; runs.count > 1; runs = runs.merged(lines_.k)) {
      const std::int64_t places = lines_.count * runs.count * runs.room;
      check(Launch<merge_runs<Bits>>::run(blocks_for(places, kThreads), kThreads, args.stream(),
                                          lines_, runs, read, write, results),
            "top_k");
      std::swap(read, write);
    }
  }

  DType dtype_;
  TopKLines lines_{};
  Runs first_{};
  std::size_t bytes_[2] = {};
};

}  // namespace

KernelPtr make_top_k(const KernelSpec& spec) { return make_kernel<TopK>(spec.memory, spec); }

}  // namespace skiff::cuda
