#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Operators on pictures and caches that are places to read from or write to.
namespace skiff::onnx {
namespace {

constexpr std::int64_t kMaxPlaces = std::int64_t{1} << 24;

/// Coordinates -1 ... 1 of an axis, at the pixels' centres or at their corners.
std::vector<double> coordinates(std::int64_t extent, bool align_corners) {
  std::vector<double> line;
  for (std::int64_t i = 0; i < extent; ++i) {
    const auto at = static_cast<double>(i), n = static_cast<double>(extent);
    line.push_back(!align_corners ? (2 * at + 1) / n - 1 : extent == 1 ? -1 : 2 * at / (n - 1) - 1);
  }
  return line;
}

/// theta [N, D, D + 1] times (x, y, [z], 1) of every place: [N, spatial..., D].
void import_affine_grid(Op& op) {
  const Ints size = op.known_integers(1, "size");
  const bool align_corners = op.flag("align_corners", false);
  const std::size_t axes = size.size() - 2;
  op.check(size.size() == 4 || size.size() == 5, "size has ", size.size(), " entries");
  std::vector<std::vector<double>> lines;
  Shape result{size[0]};
  std::int64_t places = 1;
  for (std::size_t i = 0; i < axes; ++i) {
    op.check(size[i + 2] >= 0 && size[i + 2] <= kMaxPlaces, "size has the extent ", size[i + 2]);
    lines.push_back(coordinates(size[i + 2], align_corners));
    result.push_back(size[i + 2]);
    places *= size[i + 2];
    op.check(places <= kMaxPlaces, "size has more than ", kMaxPlaces, " places");
  }
  result.push_back(static_cast<std::int64_t>(axes));
  std::vector<double> grid;
  for (std::int64_t place = 0; place < places; ++place) {
    std::int64_t rest = place;
    for (std::size_t i = axes; i-- > 0;) {  // the last axis is x
      const auto extent = static_cast<std::int64_t>(lines[i].size());
      grid.push_back(lines[i][static_cast<std::size_t>(rest % extent)]);
      rest /= extent;
    }
    grid.push_back(1);
  }
  const ValueId constant =
      op.b.from_numbers(op.dtype(0), {1, places, static_cast<std::int64_t>(axes) + 1}, grid);
  op.out(op.b.reshape(op.b.matmul(constant, op.in(0), false, true), result));
}

struct Blocks {
  Ints image, kernel, strides, dilations, pads, counts;
};

Blocks read_blocks(Op& op) {
  Blocks b{op.known_integers(1, "image_shape"),
           op.known_integers(2, "block_shape"),
           op.integers("strides"),
           op.integers("dilations"),
           op.integers("pads"),
           {}};
  const std::size_t n = b.image.size();
  if (b.strides.empty()) b.strides.assign(n, 1);
  if (b.dilations.empty()) b.dilations.assign(n, 1);
  if (b.pads.empty()) b.pads.assign(2 * n, 0);
  op.check(b.kernel.size() == n && b.strides.size() == n && b.dilations.size() == n &&
               b.pads.size() == 2 * n,
           "its lists differ in length");
  for (std::size_t i = 0; i < n; ++i) {
    for (std::int64_t entry : {b.image[i], b.kernel[i], b.strides[i], b.dilations[i]})
      op.check(entry >= 1 && entry <= kMaxPlaces, "one of its lists has the entry ", entry);
    op.check(b.pads[i] >= 0 && b.pads[i + n] >= 0 && b.pads[i] + b.pads[i + n] <= kMaxPlaces,
             "pads are negative");
    const std::int64_t room =
        b.image[i] + b.pads[i] + b.pads[i + n] - b.dilations[i] * (b.kernel[i] - 1) - 1;
    b.counts.push_back(room < 0 ? 0 : room / b.strides[i] + 1);
  }
  return b;
}

/// Where element (offset in the block, block) goes in the flat image; the image's size: nowhere.
Ints block_places(const Blocks& b, std::int64_t offsets, std::int64_t blocks, std::int64_t pixels) {
  Ints places;
  for (std::int64_t offset = 0; offset < offsets; ++offset)
    for (std::int64_t block = 0; block < blocks; ++block) {
      std::int64_t in_block = offset, at_block = block, flat = 0, stride = 1;
      bool inside = true;
      for (std::size_t i = b.image.size(); i-- > 0;) {
        const std::int64_t at = at_block % b.counts[i] * b.strides[i] - b.pads[i] +
                                in_block % b.kernel[i] * b.dilations[i];
        inside &= at >= 0 && at < b.image[i];
        flat += at * stride;
        stride *= b.image[i];
        in_block /= b.kernel[i];
        at_block /= b.counts[i];
      }
      places.push_back(inside ? flat : pixels);
    }
  return places;
}

/// Blocks of columns added back into the image; what falls outside goes to a place that is cut off.
void import_col2im(Op& op) {
  const Blocks b = read_blocks(op);
  op.check(op.rank(0) == 3, "the input has the shape ", op.shape(0), ", needs [N, C, L]");
  std::int64_t offsets = 1, blocks = 1, pixels = 1;
  for (std::size_t i = 0; i < b.image.size(); ++i) {
    offsets *= b.kernel[i];
    blocks *= b.counts[i];
    pixels *= b.image[i];
    op.check(offsets <= kMaxPlaces && blocks <= kMaxPlaces && pixels <= kMaxPlaces &&
                 offsets * blocks <= kMaxPlaces,
             "the image is too large");
  }
  const std::int64_t batch = op.shape(0)[0], channels = op.shape(0)[1] / offsets;
  op.check(op.shape(0)[1] == channels * offsets && op.shape(0)[2] == blocks,
           "the input has the shape ", op.shape(0), ", needs [N, C ", offsets, ", ", blocks, "]");
  const Shape columns{batch, channels, offsets * blocks};
  const ValueId places = op.b.from_integers(DType::int64, {offsets * blocks},
                                            block_places(b, offsets, blocks, pixels));
  const ValueId empty = op.b.expand(op.b.scalar(op.dtype(0), 0), {batch, channels, pixels + 1});
  fb::ScatterAttrsT attrs;
  attrs.axis = 2;
  attrs.reduction = fb::ScatterReduction::add;
  const ValueId sums =
      op.b.add(fb::OpKind::scatter_elements, attrs,
               {empty, op.b.expand(places, columns), op.b.reshape(op.in(0), columns)});
  Ints result{batch, channels};
  result.insert(result.end(), b.image.begin(), b.image.end());
  op.out(op.b.reshape(op.b.slice_axis(sums, 2, 0, pixels), to_shape(result)));
}

/// Writes `update` into a cache from a place of each batch entry on, around its end if circular.
void import_tensor_scatter(Op& op) {
  const int rank = op.rank(0), axis = op.axis(op.integer("axis", -2), rank);
  const std::string mode = op.text("mode", "linear");
  op.check(mode == "linear" || mode == "circular", "mode is '", mode, "'");
  op.check(op.rank(1) == rank && axis > 0, "cache and update have the shapes ", op.shape(0),
           " and ", op.shape(1));
  const std::int64_t length = op.shape(1)[axis];
  op.check(length <= kMaxPlaces, "the update has the shape ", op.shape(1));
  Ints steps;
  for (std::int64_t i = 0; i < length; ++i) steps.push_back(i);
  Ints along(static_cast<std::size_t>(rank), 1);
  along[static_cast<std::size_t>(axis)] = length;
  ValueId places = op.b.from_integers(DType::int64, to_shape(along), steps);
  if (op.has(2)) {
    Ints batch(static_cast<std::size_t>(rank), 1);
    batch[0] = op.shape(0)[0];
    const ValueId start = op.b.cast(op.in(2), DType::int64);
    places = op.b.binary(fb::BinaryFunction::add, op.b.reshape(start, to_shape(batch)), places);
  }
  if (mode == "circular")
    places =
        op.b.binary_number(fb::BinaryFunction::mod, places, static_cast<double>(op.shape(0)[axis]));
  fb::ScatterAttrsT attrs;
  attrs.axis = axis;
  op.out(op.b.add(fb::OpKind::scatter_elements, attrs,
                  {op.in(0), op.b.expand(places, op.shape(1)), op.in(1)}));
}

constexpr Adapter kAdapters[] = {
    {"AffineGrid", {20}, import_affine_grid},
    {"Col2Im", {18}, import_col2im},
    {"TensorScatter", {24}, import_tensor_scatter},
};

}  // namespace

std::span<const Adapter> image_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
