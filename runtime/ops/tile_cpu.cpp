#include <algorithm>
#include <cstring>

#include "runtime/ops/block.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/strided.h"

namespace skiff {
namespace {

class TileKernel final : public Kernel {
 public:
  explicit TileKernel(const KernelSpec& spec);
  Status run(const RunArgs& args) noexcept override;

 private:
  void repeat_run(const std::byte* from, std::byte* to) const noexcept;

  StridedLoop<1> rows_;         // of the output: axes outside the run, then a dummy
  Strides extents_{}, from_{};  // of the operand along those axes; bytes
  std::int64_t run_ = 0;        // bytes of the operand that repeat as a whole
  std::int64_t repeats_ = 1;
};

TileKernel::TileKernel(const KernelSpec& spec) {
  const Shape &x = spec.input(0).shape, &y = spec.output(0).shape;
  const auto size = static_cast<std::int64_t>(size_of(spec.input(0).dtype));
  if (y.elements() == 0) return;
  int inner = x.rank() - 1;  // the last axis that repeats: from here on the operand is one run
  while (inner > 0 && x[inner] == y[inner]) --inner;
  run_ = x.elements(std::max(inner, 0), x.rank()) * size;
  repeats_ = inner < 0 ? 1 : y[inner] / x[inner];
  rows_.rank = std::max(inner, 0) + 1;
  for (int axis = 0; axis < inner; ++axis) {
    rows_.extents[at(axis)] = y[axis];
    extents_[at(axis)] = x[axis];
    from_[at(axis)] = x.elements(axis + 1, x.rank()) * size;
  }
  rows_.extents[at(rows_.rank - 1)] = 1;
}

Status TileKernel::run(const RunArgs& args) noexcept {
  if (run_ == 0) return {};
  const std::int64_t pitch = run_ * repeats_;
  parallel_chunks(args, rows_.rows(), grain_for(copy_cost(pitch)), [&](auto begin, auto end) {
    Odometer<1> row(rows_, begin);
    for (std::int64_t i = begin; i < end; ++i, row.next()) {
      const auto* from = args.input<std::byte>(0);
      for (int axis = 0; axis + 1 < rows_.rank; ++axis)
        from += row.index(axis) % extents_[at(axis)] * from_[at(axis)];
      repeat_run(from, args.output<std::byte>(0) + i * pitch);
    }
  });
  return {};
}

void TileKernel::repeat_run(const std::byte* from, std::byte* to) const noexcept {
  with_block(run_, [&](auto bytes) {
    for (std::int64_t i = 0; i < repeats_; ++i)
      move_block<decltype(bytes)::value>(to + i * run_, from, run_);
  });
}

}  // namespace

KernelPtr make_tile_cpu(const KernelSpec& spec) {
  return make_kernel<TileKernel>(spec.memory, spec);
}

}  // namespace skiff
