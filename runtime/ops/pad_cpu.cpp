#include <algorithm>
#include <cstring>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/convert.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/strided_copy.h"

namespace skiff {
namespace {

/// Where element `i` of a padded axis comes from; `i` counts from the first own element. -1: from
/// nowhere. Pads may be longer than the axis: reflections repeat.
std::int64_t source_index(fb::PadMode mode, std::int64_t i, std::int64_t extent) noexcept {
  if (i >= 0 && i < extent) return i;
  const auto modulo = [](std::int64_t a, std::int64_t n) { return (a % n + n) % n; };
  switch (mode) {
    case fb::PadMode::edge:
      return i < 0 ? 0 : extent - 1;
    case fb::PadMode::wrap:
      return modulo(i, extent);
    case fb::PadMode::reflect: {
      const std::int64_t period = std::max<std::int64_t>(1, 2 * (extent - 1));
      const std::int64_t at = modulo(i, period);
      return at < extent ? at : period - at;
    }
    case fb::PadMode::symmetric: {
      const std::int64_t at = modulo(i, 2 * extent);
      return at < extent ? at : 2 * extent - 1 - at;
    }
    default:
      return -1;
  }
}

class PadKernel final : public Kernel {
 public:
  explicit PadKernel(const KernelSpec& spec);
  Status run(const RunArgs& args) noexcept override;

 private:
  void pad_row(const std::byte* from, std::byte* to, const std::byte* value) const noexcept;
  void fill(std::byte* to, std::int64_t blocks, const std::byte* value) const noexcept {
    fill_elements(to, blocks * (block_ / element_), value, static_cast<std::size_t>(element_));
  }

  fb::PadMode mode_;
  StridedLoop<1> rows_;                             // of the output: its outer axes, then a dummy
  Strides before_{}, extents_{}, from_{};           // of the outer axes: pads, own extents, bytes
  std::int64_t first_ = 0, middle_ = 0, last_ = 0;  // blocks of a row
  std::int64_t element_ = 0, block_ = 0;            // bytes
  bool has_value_;                                  // as input 1
  bool trailing_ = false;                           // zeros or another float behind each row
  const cpu::RowTable& table_;
  alignas(8) std::byte value_[8] = {};
};

PadKernel::PadKernel(const KernelSpec& spec)
    : mode_(spec.node.attrs<fb::PadAttrs>().mode()),
      has_value_(spec.node.has_input(1)),
      table_(spec.table.rows) {
  const TensorInfo& x = spec.input(0);
  const auto& attrs = spec.node.attrs<fb::PadAttrs>();
  const int rank = x.shape.rank();
  const auto pad = [&](int i) {
    return spec.node.dim(attrs.pads()->Get(static_cast<unsigned>(i)));
  };
  int inner = rank - 1;  // the last axis that is padded; what lies inside it moves as blocks
  while (inner > 0 && pad(inner) == 0 && pad(inner + rank) == 0) --inner;
  element_ = static_cast<std::int64_t>(size_of(x.dtype));
  block_ = element_ * x.shape.elements(inner + 1, rank);
  rows_.rank = inner < 0 ? 1 : inner + 1;
  middle_ = 1;
  for (int axis = 0; axis < inner; ++axis) {
    rows_.extents[at(axis)] = spec.output(0).shape[axis];
    before_[at(axis)] = pad(axis);
    extents_[at(axis)] = x.shape[axis];
    from_[at(axis)] = x.shape.elements(axis + 1, rank) * element_;
  }
  rows_.extents[at(rows_.rank - 1)] = 1;
  if (inner >= 0) {
    first_ = pad(inner);
    middle_ = x.shape[inner];
    last_ = pad(inner + rank);
  }
  bool outer = false;
  for (int axis = 0; axis < inner; ++axis) outer = outer || pad(axis) != 0 || pad(axis + rank) != 0;
  trailing_ = x.dtype == DType::float32 && mode_ == fb::PadMode::constant && !outer &&
              first_ == 0 && inner >= 0;
  const double value = attrs.value();
  find_convert(spec.node, DType::float64, x.dtype)(&value, value_, 1);
}

Status PadKernel::run(const RunArgs& args) noexcept {
  const auto* x = args.input<std::byte>(0);
  auto* y = args.output<std::byte>(0);
  const auto* value = has_value_ ? args.input<std::byte>(1) : value_;
  const std::int64_t pitch = (first_ + middle_ + last_) * block_;
  if (pitch == 0) return {};
  if (trailing_) {
    const std::int64_t count = middle_ * block_ / element_, wide = pitch / element_;
    float filler = 0;
    std::memcpy(&filler, value, sizeof filler);
    parallel_chunks(args, rows_.rows(), grain_for(copy_cost(pitch)), [&](auto begin, auto end) {
      table_.pad_rows(args.input<float>(0) + begin * count, end - begin, count, filler,
                      args.output<float>(0) + begin * wide, wide);
    });
    return {};
  }
  parallel_chunks(args, rows_.rows(), grain_for(copy_cost(pitch)), [&](auto begin, auto end) {
    Odometer<1> row(rows_, begin);
    for (std::int64_t i = begin; i < end; ++i, row.next()) {
      const std::byte* from = x;
      for (int axis = 0; axis + 1 < rows_.rank && from != nullptr; ++axis) {
        const auto a = at(axis);
        const std::int64_t source = source_index(mode_, row.index(axis) - before_[a], extents_[a]);
        from = source < 0 ? nullptr : from + source * from_[a];
      }
      pad_row(from, y + i * pitch, value);
    }
  });
  return {};
}

/// from: null where the whole row is padding.
void PadKernel::pad_row(const std::byte* from, std::byte* to,
                        const std::byte* value) const noexcept {
  if (from == nullptr) return fill(to, first_ + middle_ + last_, value);
  const auto border = [&](std::int64_t begin, std::int64_t end) {
    if (mode_ == fb::PadMode::constant)
      return fill(to + (begin + first_) * block_, end - begin, value);
    for (std::int64_t i = begin; i < end; ++i)
      std::memcpy(to + (i + first_) * block_, from + source_index(mode_, i, middle_) * block_,
                  static_cast<std::size_t>(block_));
  };
  border(-first_, 0);
  if (middle_ > 0)
    std::memcpy(to + first_ * block_, from, static_cast<std::size_t>(middle_ * block_));
  border(middle_, middle_ + last_);
}

}  // namespace

KernelPtr make_pad_cpu(const KernelSpec& spec) { return make_kernel<PadKernel>(spec.memory, spec); }

}  // namespace skiff
