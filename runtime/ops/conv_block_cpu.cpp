#include <algorithm>

#include "runtime/cpu/thread_pool.h"
#include "runtime/cpu/tiling.h"
#include "runtime/ops/conv_block.h"
#include "runtime/ops/parts_cpu.h"

namespace skiff {

namespace {

// What a thread's rows may take of a second-level cache, beside weights, inputs and results.
constexpr std::int64_t kStripElements = 64 << 10;
// Pixels that fill the tiles of a product.
constexpr std::int64_t kStripPixels = 96;

// Measured with AVX-512, in multiply-adds of a product there: a byte that is written and read
// again, in the second-level cache and beyond it (tensors of more than kCachedBytes).
constexpr double kCachedByte = 0.5, kFarByte = 4;
constexpr std::int64_t kCachedBytes = 512 << 10;

/// How many rows of the result are computed at a time, and what is kept of the intermediate ones.
struct StripPlan {
  std::int64_t rows = 1;      ///< of the depthwise result
  std::int64_t ring = 0;      ///< rows of the expanded tensor that are kept; 0: it is the input
  std::int64_t ring_row = 0;  ///< elements of one
  std::int64_t strip = 0;     ///< elements of the depthwise result; 0: it is the output

  std::int64_t elements() const noexcept { return round_up(ring * ring_row, 16) + strip; }
};

StripPlan strips_of(bool expands, const ConvGeometry& g, bool projects, std::int64_t rows) {
  StripPlan plan{.rows = rows};
  if (expands) {
    // A multiple of the rows that come in at a time, so that they rarely wrap round.
    plan.ring = std::max<std::int64_t>(
        1, std::min(g.in[1], round_up(rows_needed(g, rows), rows * g.stride[1])));
    plan.ring_row = g.in[2] * g.cin;
  }
  if (projects) plan.strip = round_up(rows * g.out[2] * g.cout, 16);
  return plan;
}

/// As many rows as fill tiles and stay in the cache, and never more memory than `room` elements.
StripPlan choose_strips(bool expands, const ConvGeometry& g, bool projects, std::int64_t room) {
  StripPlan best = strips_of(expands, g, projects, 1);
  for (std::int64_t rows = 2; rows <= g.out[1]; ++rows) {
    if ((rows - 1) * g.out[2] >= kStripPixels) break;
    const StripPlan plan = strips_of(expands, g, projects, rows);
    if (plan.elements() <= std::min(room, kStripElements)) best = plan;
  }
  return best;
}

// Pieces that each thread begins with: so fine can a fast one relieve a slow one.
constexpr std::int64_t kPiecesPerThread = 4;

/// The convolutions of a block over strips of rows. A thread takes pieces of some neighbouring rows
/// and keeps the expanded ones that its next piece needs too, if that is the next one below.
/// However rows are cut, every element is the same sum, that of the convolutions one by one.
class BlockKernel final : public PartsKernel {
 public:
  explicit BlockKernel(const KernelSpec& spec)
      : PartsKernel(spec.node.attrs<ConvBlock>().used()),
        block_(spec.node.attrs<ConvBlock>()),
        threads_(spec.threads) {
    const PartsView view(spec.node, block_.used()), widest(spec.widest(), block_.used());
    for (int p = block_.first; p < block_.count; ++p) {
      const KernelSpec part{.node = view.part(p),
                            .outputs = {&view.result(p), 1},
                            .table = spec.table,
                            .threads = spec.threads,
                            .memory = spec.memory,
                            .largest = &widest.part(p)};
      const bool reads_pixels = p == block_.first && p > 0;
      set_kernel(p, reads_pixels ? make_row_conv(part, view.part(0)) : make_row_conv(part));
    }
    first_ = read_conv_geometry(view.part(block_.first));
    middle_ = read_conv_geometry(view.part(block_.depthwise));
    last_ = read_conv_geometry(view.part(block_.count - 1));
    const StripPlan largest = choose_strips(
        expands(), read_conv_geometry(widest.part(block_.depthwise)), projects(), INT64_MAX);
    plan_ = choose_strips(expands(), middle_, projects(), largest.elements());
    if (expands())
      scratch_ = static_cast<std::size_t>(
          round_up(static_cast<std::int64_t>(rows_of(block_.first).row_scratch_bytes()), 64));
  }

  std::size_t workspace_bytes() const noexcept override {
    return thread_bytes() * static_cast<std::size_t>(threads_);
  }

  /// The residual of the last part, where it is no other part's operand.
  bool can_overwrite(int input, int) const noexcept override {
    return input == block_.parts[at(block_.count - 1)].operands[3];
  }

  Status run(const RunArgs& args) noexcept override {
    const std::int64_t rows = middle_.batch * middle_.out[1];
    const std::int64_t pieces = pieces_of(rows);
    for (int thread = 0; thread < threads_; ++thread) new (&place_of(args, thread)) Place;
    args.pool.parallel_for(pieces, [&](std::int64_t piece, int thread) {
      run_piece(args, place_of(args, thread), rows * piece / pieces, rows * (piece + 1) / pieces);
    });
    return {};
  }

  const char* algorithm() const noexcept override {
    return !expands() ? "dw-project" : !projects() ? "expand-dw" : "expand-dw-project";
  }

 private:
  /// Where a thread is. Behind it lie the first part's scratch, the ring of expanded rows (those
  /// before `next` that are still there) and the strip of the depthwise result.
  struct alignas(64) Place {
    std::int64_t row = -1;            ///< of all images' results: the one that would come next
    std::int64_t next = 0, slot = 0;  ///< the expanded row that comes next and where it goes
  };

  /// The parts are all convolutions but for the pixels.
  RowConv& rows_of(int part) const noexcept { return static_cast<RowConv&>(kernel(part)); }
  bool expands() const noexcept { return block_.depthwise > block_.first; }
  bool projects() const noexcept { return block_.depthwise + 1 < block_.count; }
  std::size_t thread_bytes() const noexcept {
    return sizeof(Place) + scratch_ +
           round_up(static_cast<std::size_t>(plan_.elements()) * sizeof(float), alignof(Place));
  }
  Place& place_of(const RunArgs& args, int thread) const noexcept {
    return *reinterpret_cast<Place*>(static_cast<std::byte*>(args.workspace) +
                                     static_cast<std::size_t>(thread) * thread_bytes());
  }
  std::byte* scratch_of(Place& place) const noexcept {
    return reinterpret_cast<std::byte*>(&place + 1);
  }
  float* ring_of(Place& place) const noexcept {
    return reinterpret_cast<float*>(scratch_of(place) + scratch_);
  }
  float* strip_of(Place& place) const noexcept {
    return ring_of(place) + round_up(plan_.ring * plan_.ring_row, 16);
  }
  /// One thread gains nothing by pieces; several begin with as many each.
  std::int64_t pieces_of(std::int64_t rows) const noexcept {
    if (threads_ == 1) return std::min<std::int64_t>(rows, 1);
    const std::int64_t strips = ceil_div(rows, plan_.rows), threads = threads_;
    return std::min(rows, round_up(std::max(strips, kPiecesPerThread * threads), threads));
  }

  const float* input_of(const RunArgs& args, int part, std::size_t i) const noexcept {
    const int input = block_.parts[at(part)].operands[i];
    return input < 0 ? nullptr : args.input<float>(input);
  }
  RowOperands operands_of(const RunArgs& args, int part, float* output) const noexcept {
    return {.weights = input_of(args, part, 1), .bias = input_of(args, part, 2), .output = output};
  }

  /// Rows [begin, end) of all images' results, one after the other.
  void run_piece(const RunArgs& args, Place& place, std::int64_t begin,
                 std::int64_t end) const noexcept {
    const std::int64_t height = middle_.out[1];
    bool fresh = place.row != begin;
    for (std::int64_t row = begin; row < end;) {
      const std::int64_t image = row / height, y = row - image * height;
      const std::int64_t rows = std::min({plan_.rows, end - row, height - y});
      run_strip(args, place, image, y, rows, fresh || y == 0);
      fresh = false;
      row += rows;
    }
    place.row = end;
  }

  void run_strip(const RunArgs& args, Place& place, std::int64_t image, std::int64_t row,
                 std::int64_t rows, bool fresh) const noexcept {
    const std::int64_t element = block_.first > 0 ? 1 : sizeof(float);
    const std::byte* input =
        args.input<std::byte>(0) + image * first_.in_pixels() * first_.cin * element;
    RowWindow window{.base = input, .first = 0, .count = middle_.in[1]};
    if (expands()) window = expand(args, place, input, row, rows, fresh);
    const std::int64_t offset = (image * last_.out[1] + row) * last_.out[2] * last_.cout;
    float* output = args.output<float>(0) + offset;
    float* strip = projects() ? strip_of(place) : output;
    const int last = block_.count - 1;
    RowOperands of_middle = operands_of(args, block_.depthwise, strip);
    RowOperands of_last = operands_of(args, last, output);
    if (const float* residual = input_of(args, last, 3))
      (projects() ? of_last : of_middle).residual = residual + offset;
    rows_of(block_.depthwise).run_rows(window, row, rows, of_middle);
    if (projects())
      rows_of(last).run_rows({.base = strip, .first = row, .count = rows}, row, rows, of_last);
  }

  /// Brings the expanded rows into the ring that the rows of the result need and it lacks.
  RowWindow expand(const RunArgs& args, Place& place, const std::byte* input, std::int64_t row,
                   std::int64_t rows, bool fresh) const noexcept {
    const std::int64_t height = middle_.in[1];
    const std::int64_t top = row * middle_.stride[1] - middle_.pad_begin[1];
    const std::int64_t end = std::clamp<std::int64_t>(top + rows_needed(middle_, rows), 0, height);
    const std::int64_t first = std::clamp<std::int64_t>(top, 0, end);
    // A new run of rows ends at the ring's end: the next ones start at its beginning.
    if (fresh) place.next = first, place.slot = (plan_.ring - (end - first)) % plan_.ring;
    if (place.next < first) place.next = first;  // rows that no window reads
    RowOperands operands = operands_of(args, block_.first, nullptr);
    operands.scratch = scratch_of(place);
    if (block_.first > 0)
      for (std::size_t s = 0; s < operands.pixels.size(); ++s)
        operands.pixels[s] = input_of(args, 0, 1 + s);
    while (place.next < end) {
      const std::int64_t count = std::min(end - place.next, plan_.ring - place.slot);
      operands.output = ring_of(place) + place.slot * plan_.ring_row;
      rows_of(block_.first)
          .run_rows({.base = input, .first = 0, .count = first_.in[1]}, place.next, count,
                    operands);
      place.next += count;
      place.slot = (place.slot + count) % plan_.ring;
    }
    const std::int64_t behind = place.slot - (place.next - first);
    return {.base = ring_of(place),
            .first = first,
            .count = end - first,
            .slot = behind < 0 ? behind + plan_.ring : behind,
            .ring = plan_.ring};
  }

  const ConvBlock& block_;
  int threads_;
  ConvGeometry first_, middle_, last_;
  StripPlan plan_;
  std::size_t scratch_ = 0;  // of the first part, in bytes
};

}  // namespace

double traffic_cost(std::int64_t bytes) noexcept {
  return static_cast<double>(bytes) * (bytes > kCachedBytes ? kFarByte : kCachedByte);
}

std::int64_t block_strip_rows(bool expands, const ConvGeometry& depthwise, bool projects) noexcept {
  return choose_strips(expands, depthwise, projects, INT64_MAX).rows;
}

KernelPtr make_conv_block_cpu(const KernelSpec& spec) {
  return make_kernel<BlockKernel>(spec.memory, spec);
}

}  // namespace skiff
