#include "runtime/ops/pixel_rows.h"

#include <algorithm>
#include <cstring>

#include "runtime/cpu/kernel_table.h"
#include "runtime/cpu/thread_pool.h"

namespace skiff {

PixelRows::PixelRows(const NodeView& part, const cpu::KernelTable& table)
    : table_(table),
      cast_(part.attrs<Pixels>().to == DType::float32
                ? nullptr
                : find_convert(part, DType::uint8, part.attrs<Pixels>().to)),
      channels_(part.input(0).shape.back()),
      size_(static_cast<std::int64_t>(size_of(part.attrs<Pixels>().to))),
      count_(part.attrs<Pixels>().count) {
  const Pixels& pixels = part.attrs<Pixels>();
  for (int s = 0; s < count_; ++s) {
    const auto i = static_cast<std::size_t>(s);
    steps_[i] = choose_rows(part, pixels.steps[i], pixels.to, pixels.to, table);
    each_channel_[i] = part.input(s + 1).shape.elements() > 1;
  }
}

void PixelRows::fill(const Pixels::Operands& operands, Tiles& tiles) const noexcept {
  for (std::size_t s = 0; s < static_cast<std::size_t>(count_); ++s) {
    const std::int64_t period = (each_channel_[s] ? channels_ : 1) * size_;
    for (std::int64_t i = 0; i < Tiles::kElements * size_; i += period)
      std::memcpy(tiles.numbers[s] + i, operands[s], static_cast<std::size_t>(period));
  }
}

void PixelRows::convert(const std::uint8_t* x, std::int64_t count, const Tiles& tiles,
                        std::byte* y) const noexcept {
  for (std::int64_t at = 0; at < count; at += Tiles::kElements) {
    const std::int64_t n = std::min(Tiles::kElements, count - at);
    std::byte* const to = y + at * size_;
    if (cast_ == nullptr)
      table_.dequantize(x + at, false, 1.0f, 0, reinterpret_cast<float*>(to), n);
    else
      cast_(x + at, to, n);
    for (std::size_t s = 0; s < static_cast<std::size_t>(count_); ++s)
      steps_[s].run(steps_[s], to, 1, tiles.numbers[s], 1, to, n);
  }
}

namespace {

class PixelsKernel final : public Kernel {
 public:
  explicit PixelsKernel(const KernelSpec& spec)
      : rows_(spec.node, spec.table),
        row_(spec.output(0).shape.back() * spec.output(0).shape[spec.output(0).shape.rank() - 2]),
        count_(row_ == 0 ? 0 : spec.output(0).elements() / row_),
        row_bytes_(row_ * static_cast<std::int64_t>(size_of(spec.output(0).dtype))) {}

  Status run(const RunArgs& args) noexcept override {
    PixelRows::Tiles tiles;
    rows_.fill({args.inputs[1], args.inputs[2], args.inputs[3]}, tiles);
    args.pool.parallel_for(count_, [&](std::int64_t row) {
      rows_.convert(args.input<std::uint8_t>(0) + row * row_, row_, tiles,
                    args.output<std::byte>(0) + row * row_bytes_);
    });
    return {};
  }

 private:
  PixelRows rows_;
  std::int64_t row_, count_, row_bytes_;
};

}  // namespace

KernelPtr make_pixels_cpu(const KernelSpec& spec) {
  return make_kernel<PixelsKernel>(spec.memory, spec);
}

}  // namespace skiff
