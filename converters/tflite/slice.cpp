#include <algorithm>
#include <cstdlib>

#include "converters/tflite/imports.h"
#include "runtime/core/checked.h"

namespace skiff::convert::tfl {
namespace {

/// One output per size, side by side along `axis`.
void split(Operation& op, ir::ValueId x, int axis, const std::vector<std::int64_t>& sizes) {
  const Shape shape = op.shape_of(x);
  op.check(sizes.size() == static_cast<std::size_t>(op.output_count()), sizes.size(), " parts for ",
           op.output_count(), " outputs");
  std::vector<std::int64_t> starts(static_cast<std::size_t>(shape.rank()), 0);
  std::vector<std::int64_t> extents(shape.begin(), shape.end());
  std::int64_t start = 0;
  for (int i = 0; i < op.output_count(); ++i) {
    const std::int64_t size = sizes[static_cast<std::size_t>(i)];
    op.check(size >= 0 && size <= shape[axis] - start, "parts do not fit into ", shape[axis]);
    starts[static_cast<std::size_t>(axis)] = start;
    extents[static_cast<std::size_t>(axis)] = size;
    op.output(op.slice(x, starts, extents), i);
    start += size;
  }
  op.check(start == shape[axis], "parts sum up to ", start, " of ", shape[axis]);
}

/// Steps beyond this have no use and would wrap.
constexpr std::int64_t kFarAway = std::int64_t{1} << 60;

/// One axis of a slice.
struct Range {
  std::int64_t start = 0;
  std::int64_t size = 0;
  std::int64_t step = 1;
};

std::int64_t clamp_index(std::int64_t index, std::int64_t extent, std::int64_t least,
                         std::int64_t most) {
  return std::clamp(index < 0 ? index + extent : index, least, most);
}

/// Begin and end as Python counts them; `open_*`: the whole side.
Range python_range(std::int64_t extent, std::int64_t begin, std::int64_t end, std::int64_t step,
                   bool open_begin, bool open_end) {
  const std::int64_t least = step > 0 ? 0 : -1;
  const std::int64_t most = step > 0 ? extent : extent - 1;
  Range range{.start = step > 0 ? 0 : extent - 1, .size = 0, .step = step};
  if (!open_begin) range.start = clamp_index(begin, extent, least, most);
  std::int64_t stop = step > 0 ? extent : -1;
  if (!open_end) stop = clamp_index(end, extent, least, most);
  const std::int64_t way = step > 0 ? stop - range.start : range.start - stop;
  const std::int64_t stride = step > 0 ? step : -step;
  if (way > 0) range.size = (way - 1) / stride + 1;
  if (range.size <= 1) range.step = 1;  // no step is taken, and a huge one says nothing
  return range;
}

/// STRIDED_SLICE walks its lists once; masks and new axes decide what an entry means.
class StridedSlice {
 public:
  explicit StridedSlice(Operation& op)
      : op_(op),
        options_(op.options<tflite::StridedSlice>()),
        x_(op.shape(0)),
        begins_(op.integers(1)),
        ends_(op.integers(2)),
        steps_(op.integers(3)) {
    op.check(
        begins_.size() == ends_.size() && begins_.size() == steps_.size() && begins_.size() <= 31,
        "lists of ", begins_.size(), ", ", ends_.size(), " and ", steps_.size(), " numbers");
    if (options_.offset())
      for (std::size_t i = 0; i < ends_.size(); ++i) {
        const auto end = checked_add(begins_[i], ends_[i]);
        op.check(end.has_value(), "an end of ", ends_[i], " after ", begins_[i]);
        ends_[i] = *end;
      }
  }

  void run() {
    const int count = static_cast<int>(begins_.size());
    int consuming = 0;  // entries that stand for an axis of x
    for (int i = 0; i < count; ++i) consuming += !ellipsis(i) && !new_axis(i);
    bool seen_ellipsis = false;
    for (int i = 0; i < count; ++i) {
      if (ellipsis(i)) {
        op_.check(!seen_ellipsis, "two ellipses");
        seen_ellipsis = true;
        take_rest(x_.rank() - consuming);
      } else if (new_axis(i)) {
        add_extent(1);
      } else {
        take(i);
      }
    }
    take_rest(x_.rank() - static_cast<int>(starts_.size()));
    op_.output(op_.reshape(op_.slice(op_.in(0), starts_, sizes_, step_list_), result_));
  }

 private:
  Operation& op_;
  const tflite::StridedSlice& options_;
  Shape x_;
  std::vector<std::int64_t> begins_, ends_, steps_;
  std::vector<std::int64_t> starts_, sizes_, step_list_;
  Shape result_;

  static bool bit(std::int32_t mask, int i) { return (mask >> i & 1) != 0; }
  bool ellipsis(int i) const { return bit(options_.ellipsis_mask(), i); }
  bool new_axis(int i) const { return bit(options_.new_axis_mask(), i); }

  void add_extent(std::int64_t extent) {
    op_.check(result_.rank() < kMaxRank, "the result has more than ", kMaxRank, " axes");
    result_.push_back(extent);
  }

  void add_range(const Range& range) {
    starts_.push_back(range.size > 0 ? range.start : 0);
    sizes_.push_back(range.size);
    step_list_.push_back(range.step);
  }

  void take_rest(int axes) {
    for (int i = 0; i < axes; ++i) {
      const std::int64_t extent = next_extent();
      add_range({.start = 0, .size = extent, .step = 1});
      add_extent(extent);
    }
  }

  std::int64_t next_extent() const {
    const auto axis = static_cast<int>(starts_.size());
    op_.check(axis < x_.rank(), "more entries than ", x_.rank(), " axes");
    return x_[axis];
  }

  void take(int i) {
    const auto entry = static_cast<std::size_t>(i);
    const std::int64_t extent = next_extent();
    if (bit(options_.shrink_axis_mask(), i)) {
      const std::int64_t index = begins_[entry] < 0 ? begins_[entry] + extent : begins_[entry];
      op_.check(index >= 0 && index < extent, "index ", begins_[entry], " of ", extent);
      return add_range({.start = index, .size = 1, .step = 1});
    }
    op_.check(steps_[entry] != 0 && std::abs(steps_[entry] / 2) < kFarAway, "a step of ",
              steps_[entry]);
    add_range(python_range(extent, begins_[entry], ends_[entry], steps_[entry],
                           bit(options_.begin_mask(), i), bit(options_.end_mask(), i)));
    add_extent(sizes_.back());
  }
};

}  // namespace

void import_split(Operation& op) {
  const Shape x = op.shape(1);
  const int axis = op.axis(op.integer(0), x.rank());
  const std::int64_t parts = op.output_count();
  op.check(parts > 0 && x[axis] % parts == 0, parts, " equal parts of ", x[axis]);
  split(op, op.in(1), axis,
        std::vector<std::int64_t>(static_cast<std::size_t>(parts), x[axis] / parts));
}

/// One size may be -1: what is left.
void import_split_v(Operation& op) {
  std::vector<std::int64_t> sizes = op.integers(1);
  const int axis = op.axis(op.integer(2), op.shape(0).rank());
  const std::int64_t extent = op.shape(0)[axis];
  std::int64_t known = 0;
  for (std::int64_t size : sizes) {
    op.check(size >= -1 && size <= extent, "a part of ", size, " of ", extent);
    if (size > 0) known += size;
  }
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) *open = extent - known;
  split(op, op.in(0), axis, sizes);
}

void import_slice(Operation& op) {
  const Shape x = op.shape(0);
  const std::vector<std::int64_t> starts = op.integers(1);
  std::vector<std::int64_t> sizes = op.integers(2);
  op.check(starts.size() == static_cast<std::size_t>(x.rank()) && sizes.size() == starts.size(),
           starts.size(), " starts and ", sizes.size(), " sizes for ", x.rank(), " axes");
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t extent = x[static_cast<int>(i)];
    op.check(starts[i] >= 0 && starts[i] <= extent, "start ", starts[i], " of ", extent);
    if (sizes[i] == -1) sizes[i] = extent - starts[i];
  }
  op.output(op.slice(op.in(0), starts, sizes));
}

void import_strided_slice(Operation& op) { StridedSlice(op).run(); }

void import_reverse(Operation& op) {
  const Shape x = op.shape(0);
  std::vector<std::int64_t> starts(static_cast<std::size_t>(x.rank()), 0);
  std::vector<std::int64_t> steps(starts.size(), 1);
  for (std::int64_t axis : op.axes(op.integers(1), x.rank())) {
    if (x[static_cast<int>(axis)] < 2) continue;
    starts[static_cast<std::size_t>(axis)] = x[static_cast<int>(axis)] - 1;
    steps[static_cast<std::size_t>(axis)] = -1;
  }
  op.output(op.slice(op.in(0), starts, {x.begin(), x.end()}, steps));
}

void import_reverse_sequence(Operation& op) {
  const auto& options = op.options<tflite::ReverseSequence>();
  fb::ReverseSequenceAttrsT attrs;
  attrs.time_axis = op.axis(options.seq_dim(), op.shape(0).rank());
  attrs.batch_axis = op.axis(options.batch_dim(), op.shape(0).rank());
  op.output(op.add(fb::OpKind::reverse_sequence, attrs, {op.in(0), op.in(1)}));
}

}  // namespace skiff::convert::tfl
