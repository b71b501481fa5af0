#include <skiff_device/launch.h>

#include <algorithm>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/cuda/order.cuh"
#include "runtime/cuda/sort.cuh"

// A block a list, which is a class of a picture: it collects the boxes with enough score, sorts
// them and keeps, best first, those that overlap no kept one too much. A second launch counts what
// the lists kept and joins them. Arithmetic is the CPU kernel's, rounding for rounding, so that the
// results are the same.
namespace skiff::cuda {
namespace {

constexpr int kThreads = kSortThreads;
constexpr int kRows = 64;  ///< boxes that are decided at once
constexpr int kParts = kThreads / kRows;
constexpr int kColumns = kRows / kParts;  ///< of them that a thread compares its own with
constexpr int kJoined = kLanes;           ///< lists that a block joins
static_assert(kThreads == kRowThreads);

using BoxPlace = Place<std::uint32_t>;

struct alignas(16) Box {
  float low[2], high[2];
  __device__ float area() const { return __fmul_rn(high[0] - low[0], high[1] - low[1]); }
};

/// As std::min and std::max, also where a number is NaN.
__device__ float lower(float a, float b) { return b < a ? b : a; }
__device__ float higher(float a, float b) { return a < b ? b : a; }

/// Intersection over union; 0 where a box is empty. No product and sum become one operation.
__device__ float overlap(const Box& a, const Box& b) {
  const float areas[] = {a.area(), b.area()};
  if (!(areas[0] > 0) || !(areas[1] > 0)) return 0;
  float sides[2];
  for (int i = 0; i < 2; ++i)
    sides[i] = higher(0.0f, lower(a.high[i], b.high[i]) - higher(a.low[i], b.low[i]));
  const float common = __fmul_rn(sides[0], sides[1]);
  return common / (areas[0] + areas[1] - common);
}

/// boxes [B, extent, 4], scores [B, classes, extent]; B * classes lists.
struct BoxLists {
  KeyOrder order;
  std::int64_t count, classes;
  int extent, most;  ///< boxes of a list, and how many of them it keeps
  float overlap, score;
  bool has_score, center, equal;

  __device__ bool enough(float v) const { return has_score ? v > score : v == v; }
  __device__ bool suppresses(float shared) const {
    return equal ? shared >= overlap : shared > overlap;
  }
  /// Two opposite corners in any order, or (x, y, width, height) around a center.
  __device__ Box read(const float* from) const {
    Box box;
    for (int i = 0; i < 2; ++i) {
      const float half = __fmul_rn(from[i + 2], 0.5f);
      const float a = center ? from[i] - half : from[i];
      const float b = center ? from[i] + half : from[i + 2];
      box.low[i] = lower(a, b);
      box.high[i] = higher(a, b);
    }
    return box;
  }
};

/// What the lists have of the workspace.
struct ListMemory {
  Box* boxes;                ///< [count, most], those that are kept
  BoxPlace *places, *other;  ///< [count, extent]; `other` where a block cannot sort a list at once
  int *kept, *lengths;       ///< [count, most], [count]
};

/// Writes the places of the boxes with enough score, in no order, and gives their number. All
/// threads must call it.
__device__ int collect(const BoxLists& lists, const float* scores, BoxPlace* places) {
  __shared__ int counts[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  int own = 0;
  for (int i = thread; i < lists.extent; i += kThreads) own += lists.enough(scores[i]) ? 1 : 0;
  counts[thread] = own;
  __syncthreads();
  for (int reach = 1; reach < kThreads; reach *= 2) {
    const int before = thread >= reach ? counts[thread - reach] : 0;
    __syncthreads();  // all have read
    counts[thread] += before;
    __syncthreads();  // all have written
  }
  int to = counts[thread] - own;
  for (int i = thread; i < lists.extent; i += kThreads)
    if (lists.enough(scores[i]))
      places[to++] =
          place_of(lists.order, __float_as_uint(scores[i]), static_cast<std::uint32_t>(i));
  return counts[kThreads - 1];
}

/// Sorts every kSortSlots neighbouring ones of `count` places. All threads must call it.
__device__ void sort_runs(BoxPlace* places, int count) {
  __shared__ BoxPlace slots[kSortSlots];
  int size = 2;
  while (size < count && size < kSortSlots) size *= 2;
  for (int first = 0; first < count; first += kSortSlots) {
    const int length = min(kSortSlots, count - first);
    for (int slot = static_cast<int>(threadIdx.x); slot < kSortSlots; slot += kThreads)
      slots[slot] = slot < length ? places[first + slot] : no_place<std::uint32_t>();
    sort_slots(slots, size);
    for (int slot = static_cast<int>(threadIdx.x); slot < length; slot += kThreads)
      places[first + slot] = slots[slot];
  }
}

/// Sorts `count` places and gives where they are then: at `read` or at `write`. All threads must
/// call it.
__device__ const BoxPlace* sort_list(BoxPlace* read, BoxPlace* write, int count) {
  __syncthreads();  // the places are written
  sort_runs(read, count);
  for (std::int64_t span = kSortSlots; span < count; span *= kSortFan) {
    __syncthreads();  // the runs are sorted
    for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) {
      const std::int64_t own = i - i % span, begin = i - i % (span * kSortFan);
      const std::int64_t end = min(begin + span * kSortFan, static_cast<std::int64_t>(count));
      std::int64_t to = begin + i % span;
      for (std::int64_t run = begin; run < end; run += span)
        if (run != own) to += count_before(read + run, min(span, end - run), read[i]);
      write[to] = read[i];
    }
    BoxPlace* const sorted = write;
    write = read;
    read = sorted;
  }
  __syncthreads();
  return read;
}

/// The boxes that are to be decided, of each what speaks against it.
struct Rows {
  Box boxes[kRows];
  bool lost[kRows][kParts];           ///< to one that was kept
  std::uint16_t over[kRows][kParts];  ///< bits: loses to these earlier ones, if they are kept
  static_assert(kColumns <= 16);

  /// Thread `part` of row `row` compares it with its share of the kept boxes and of the rows.
  __device__ void compare(const BoxLists& lists, const Box* kept, int count, int row, int part) {
    bool loses = false;
    for (int k = part; k < count && !loses; k += kParts)
      loses = lists.suppresses(overlap(boxes[row], kept[k]));
    unsigned bits = 0;
    for (int c = 0; c < kColumns && part * kColumns + c < row; ++c)
      if (lists.suppresses(overlap(boxes[row], boxes[part * kColumns + c]))) bits |= 1u << c;
    lost[row][part] = loses;
    over[row][part] = static_cast<std::uint16_t>(bits);
  }
  /// One thread: those of `rows` rows that are kept, `room` at most.
  __device__ std::uint64_t decide(int rows, int room) const {
    std::uint64_t kept = 0;
    for (int row = 0; row < rows && room > 0; ++row) {
      std::uint64_t against = 0;
      bool good = true;
      for (int part = 0; part < kParts; ++part) {
        against |= std::uint64_t{over[row][part]} << (part * kColumns);
        good = good && !lost[row][part];
      }
      if (!good || (against & kept) != 0) continue;
      kept |= std::uint64_t{1} << row;
      --room;
    }
    return kept;
  }
};

/// Keeps boxes of one list and gives their number. All threads must call it.
__device__ int keep(const BoxLists& lists, const float* boxes, const BoxPlace* places, int count,
                    Box* kept_boxes, int* kept) {
  __shared__ Rows rows;
  __shared__ std::uint64_t chosen;
  const int thread = static_cast<int>(threadIdx.x), row = thread % kRows;
  int length = 0;
  for (int first = 0; first < count && length < lists.most; first += kRows) {
    const int present = min(kRows, count - first);
    const int index = row < present ? static_cast<int>(index_of(places[first + row])) : 0;
    if (thread < present) rows.boxes[row] = lists.read(boxes + std::int64_t{index} * 4);
    __syncthreads();  // the rows are read, and what was kept before is written
    if (row < present) rows.compare(lists, kept_boxes, length, row, thread / kRows);
    __syncthreads();  // all is compared
    if (thread == 0) chosen = rows.decide(present, lists.most - length);
    __syncthreads();  // it is decided
    const std::uint64_t mine = std::uint64_t{1} << row;
    if (thread < kRows && (chosen & mine) != 0) {
      const int to = length + __popcll(chosen & (mine - 1));
      kept_boxes[to] = rows.boxes[row];
      kept[to] = index;
    }
    length += __popcll(chosen);
  }
  return length;
}

__global__ void __launch_bounds__(kThreads)
    suppress(BoxLists lists, const float* boxes, const float* scores, ListMemory memory) {
  const std::int64_t list = blockIdx.x, first = list * lists.extent, kept = list * lists.most;
  BoxPlace* const places = memory.places + first;
  const int count = collect(lists, scores + first, places);
  const BoxPlace* const sorted = sort_list(places, memory.other + first, count);
  const int length = keep(lists, boxes + list / lists.classes * lists.extent * 4, sorted, count,
                          memory.boxes + kept, memory.kept + kept);
  if (threadIdx.x == 0) memory.lengths[list] = length;
}

struct Count {
  __device__ static std::int64_t of(std::int64_t a, std::int64_t b) { return a + b; }
};

/// Joins the lists to rows of (batch, class, box), of which y has `room`; what is left of it is
/// zero.
__global__ void __launch_bounds__(kThreads) join(BoxLists lists, ListMemory memory, std::int64_t* y,
                                                 std::int64_t room, std::int64_t* count) {
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kJoined;
  std::int64_t before = 0, all = 0;
  for (std::int64_t list = threadIdx.x; list < lists.count; list += kThreads) {
    all += memory.lengths[list];
    if (list < first) before += memory.lengths[list];
  }
  before = reduce_block<Count>(before);
  all = reduce_block<Count>(all);
  if (blockIdx.x == 0 && threadIdx.x == 0) *count = all;
  const auto put = [&](std::int64_t row, std::int64_t batch, std::int64_t kind, std::int64_t box) {
    if (row >= room) return;
    y[row * 3] = batch;
    y[row * 3 + 1] = kind;
    y[row * 3 + 2] = box;
  };
  const std::int64_t end = min(first + kJoined, lists.count);
  for (std::int64_t list = first + threadIdx.x / kLanes; list < end; list += kThreads / kLanes) {
    std::int64_t to = before;
    for (std::int64_t l = first; l < list; ++l) to += memory.lengths[l];
    for (int i = static_cast<int>(threadIdx.x % kLanes); i < memory.lengths[list]; i += kLanes)
      put(to + i, list / lists.classes, list % lists.classes, memory.kept[list * lists.most + i]);
  }
  const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t row = all + global_thread(); row < room; row += threads) put(row, 0, 0, 0);
}

class NonMaxSuppression final : public Kernel {
 public:
  explicit NonMaxSuppression(const KernelSpec& spec) : room_(spec.output(0).shape[0]) {
    const auto& attrs = spec.node.attrs<fb::NmsAttrs>();
    const Shape& scores = spec.input(1).shape;
    const std::int64_t most = std::min(attrs.max_output_boxes_per_class(), scores[2]);
    lists_ = {.order = key_order(spec.input(1).dtype, true, false),
              .count = most == 0 ? 0 : scores[0] * scores[1],
              .classes = scores[1],
              .extent = narrow(scores[2]),
              .most = narrow(most),
              .overlap = attrs.iou_threshold(),
              .score = attrs.score_threshold(),
              .has_score = attrs.has_score_threshold(),
              .center = attrs.center_point_box(),
              .equal = attrs.suppress_equal()};
    blocks_for(lists_.count, 1);
    join_blocks();
  }

  std::size_t workspace_bytes() const noexcept override {
    const std::int64_t halves = lists_.extent > kSortSlots ? 2 : 1;
    const std::int64_t bytes = kept() * static_cast<std::int64_t>(sizeof(Box) + sizeof(int)) +
                               halves * places() * static_cast<std::int64_t>(sizeof(BoxPlace)) +
                               lists_.count * static_cast<std::int64_t>(sizeof(int));
    return static_cast<std::size_t>(bytes);
  }

  void enqueue(const LaunchArgs& args) override {
    const ListMemory memory = memory_of(args);
    if (lists_.count > 0)
      check(Launch<suppress>::run(blocks_for(lists_.count, 1), kThreads, args.stream(), lists_,
                                  args.input<float>(0), args.input<float>(1), memory),
            "non_max_suppression");
    check(Launch<join>::run(join_blocks(), kThreads, args.stream(), lists_, memory,
                            args.output<std::int64_t>(0), room_, args.count()),
          "non_max_suppression");
  }

 private:
  std::int64_t places() const noexcept { return lists_.count * lists_.extent; }
  std::int64_t kept() const noexcept { return lists_.count * lists_.most; }
  /// A thread a row of the result; at least one block, which counts.
  unsigned join_blocks() const {
    return std::max({1u, blocks_for(lists_.count, kJoined), blocks_for(room_, kThreads)});
  }

  /// The largest alignment comes first.
  ListMemory memory_of(const LaunchArgs& args) const noexcept {
    ListMemory memory{};
    if (lists_.count == 0) return memory;
    memory.boxes = static_cast<Box*>(args.workspace());
    memory.places = reinterpret_cast<BoxPlace*>(memory.boxes + kept());
    memory.other = memory.places + (lists_.extent > kSortSlots ? places() : 0);
    memory.kept = reinterpret_cast<int*>(memory.other + places());
    memory.lengths = memory.kept + kept();
    return memory;
  }

  BoxLists lists_{};
  std::int64_t room_;
};

}  // namespace

KernelPtr make_non_max_suppression(const KernelSpec& spec) {
  return make_kernel<NonMaxSuppression>(spec.memory, spec);
}

}  // namespace skiff::cuda
