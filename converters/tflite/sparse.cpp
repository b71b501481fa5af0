#include <algorithm>
#include <cstring>

#include "converters/tflite/tensors.h"
#include "runtime/core/error.h"

namespace skiff::convert::tfl {
namespace {

std::vector<std::int64_t> read_indices(tflite::Indices type, const void* table) {
  if (table == nullptr) return {};
  switch (type) {
    case tflite::Indices::Int32Indices:
      return to_list(static_cast<const tflite::Int32Indices*>(table)->values());
    case tflite::Indices::UInt16Indices:
      return to_list(static_cast<const tflite::UInt16Indices*>(table)->values());
    case tflite::Indices::UInt8Indices:
      return to_list(static_cast<const tflite::UInt8Indices*>(table)->values());
    default:
      return {};
  }
}

/// One axis of the traversal: all of [0, size), or what lies between two segment marks.
struct Level {
  bool sparse = false;
  std::int64_t size = 0;
  std::size_t axis = 0;     // of the dense tensor
  std::int64_t stride = 0;  // elements of the dense tensor per step
  std::vector<std::int64_t> segments;
  std::vector<std::int64_t> indices;
};

/// Walks the tree of levels and puts every stored element at its place. Indices must rise within a
/// segment, so no more steps are taken than the dense tensor has elements.
class Expansion {
 public:
  Expansion(const tflite::Sparsity& sparsity, const Shape& shape, const std::string& name)
      : name_(name), shape_(shape) {
    const auto rank = static_cast<std::size_t>(shape.rank());
    const std::vector<std::int64_t> order = to_list(sparsity.traversal_order());
    const std::vector<std::int64_t> block_map = to_list(sparsity.block_map());
    sound(order.size() == rank + block_map.size() && order.size() == length(sparsity.dimensions()),
          "its traversal has ", order.size(), " axes");
    std::vector<bool> seen(order.size(), false);
    for (std::size_t i = 0; i < order.size(); ++i) {
      sound(order[i] >= 0 && order[i] < static_cast<std::int64_t>(order.size()),
            "its traversal names axis ", order[i]);
      const auto axis = static_cast<std::size_t>(order[i]);
      sound(!seen[axis], "its traversal names axis ", order[i], " twice");
      seen[axis] = true;
      levels_.push_back(
          read_level(*sparsity.dimensions()->Get(static_cast<flatbuffers::uoffset_t>(i))));
      levels_.back().axis = axis;
    }
    place_blocks(block_map);
  }

  std::vector<std::byte> run(std::size_t element_size, std::span<const std::byte> data) {
    dense_.resize(static_cast<std::size_t>(shape_.elements()) * element_size);
    element_size_ = element_size;
    data_ = data;
    visit(0, 0, 0);
    sound(visited_ * element_size == data.size(), "it stores ", data.size(), " bytes, uses ",
          visited_ * element_size);
    return std::move(dense_);
  }

 private:
  const std::string& name_;
  const Shape& shape_;
  std::vector<Level> levels_;
  std::vector<std::byte> dense_;
  std::span<const std::byte> data_;
  std::size_t element_size_ = 0;
  std::size_t visited_ = 0;

  template <typename... Pieces>
  void sound(bool condition, const Pieces&... pieces) const {
    require(condition, ErrorCode::invalid_model, "sparse constant '", name_, "': ", pieces...);
  }

  static Level read_level(const tflite::Dimension& stored) {
    Level level;
    level.sparse = stored.format() == tflite::DimensionFormat::sparse;
    level.size = stored.dense_size();
    if (level.sparse) {
      level.segments = read_indices(stored.segments_type(), stored.segments());
      level.indices = read_indices(stored.indices_type(), stored.indices());
    }
    return level;
  }

  /// Sizes and strides: an axis that is cut into blocks is walked block by block, and the axis
  /// inside the block element by element.
  void place_blocks(const std::vector<std::int64_t>& block_map) {
    const auto rank = static_cast<std::size_t>(shape_.rank());
    std::vector<std::int64_t> block(rank, 1);
    for (Level& level : levels_) {
      if (level.axis < rank) continue;
      const std::int64_t target = block_map[level.axis - rank];
      sound(target >= 0 && target < shape_.rank() && block[static_cast<std::size_t>(target)] == 1,
            "its block map names axis ", target);
      const std::int64_t extent = shape_[static_cast<int>(target)];
      sound(!level.sparse && level.size > 0 && extent % level.size == 0, "a block of ", level.size,
            " along an axis of ", extent);
      block[static_cast<std::size_t>(target)] = level.size;
      level.stride = shape_.elements(static_cast<int>(target) + 1, shape_.rank());
    }
    for (Level& level : levels_) {
      if (level.axis >= rank) continue;
      const auto axis = static_cast<int>(level.axis);
      const std::int64_t extent = shape_[axis] / block[level.axis];
      sound(level.sparse || level.size == extent, "a dense axis of ", level.size, " where ", extent,
            " are");
      level.size = extent;
      level.stride = shape_.elements(axis + 1, shape_.rank()) * block[level.axis];
    }
  }

  void visit(std::size_t depth, std::int64_t position, std::int64_t offset) {
    if (depth == levels_.size()) {
      const std::size_t from = static_cast<std::size_t>(position) * element_size_;
      sound(from + element_size_ <= data_.size(), "it has too few elements");
      std::memcpy(dense_.data() + static_cast<std::size_t>(offset) * element_size_,
                  data_.data() + from, element_size_);
      ++visited_;
      return;
    }
    const Level& level = levels_[depth];
    if (level.sparse) return visit_sparse(level, depth, position, offset);
    for (std::int64_t i = 0; i < level.size; ++i)
      visit(depth + 1, position * level.size + i, offset + i * level.stride);
  }

  void visit_sparse(const Level& level, std::size_t depth, std::int64_t position,
                    std::int64_t offset) {
    const auto at = static_cast<std::size_t>(position);
    sound(at + 1 < level.segments.size(), "it has too few segments");
    const std::int64_t end = level.segments[at + 1];
    sound(level.segments[at] >= 0 && end <= static_cast<std::int64_t>(level.indices.size()),
          "a segment lies outside the indices");
    std::int64_t last = -1;
    for (std::int64_t j = level.segments[at]; j < end; ++j) {
      const std::int64_t index = level.indices[static_cast<std::size_t>(j)];
      sound(index > last && index < level.size, "index ", index, " after ", last, " of ",
            level.size);
      last = index;
      visit(depth + 1, j, offset + index * level.stride);
    }
  }
};

}  // namespace

std::vector<std::byte> expand_sparse(const tflite::Sparsity& sparsity, const Shape& shape,
                                     std::size_t element_size, std::span<const std::byte> data,
                                     const std::string& name) {
  return Expansion(sparsity, shape, name).run(element_size, data);
}

}  // namespace skiff::convert::tfl
