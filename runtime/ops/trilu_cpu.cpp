#include <algorithm>
#include <cstring>

#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

class TriluKernel final : public Kernel {
 public:
  explicit TriluKernel(const KernelSpec& spec) : upper_(spec.node.attrs<fb::TriluAttrs>().upper()) {
    const Shape& x = spec.input(0).shape;
    size_ = static_cast<std::int64_t>(size_of(spec.input(0).dtype));
    rows_ = x[x.rank() - 2];
    columns_ = x.back();
    count_ = x.elements(0, x.rank() - 1);
    k_ = std::clamp(spec.node.attrs<fb::TriluAttrs>().k(), -rows_ - 1, columns_ + 1);
  }

  bool can_overwrite(int, int) const noexcept override { return true; }

  Status run(const RunArgs& args) noexcept override {
    const std::int64_t pitch = columns_ * size_;
    if (pitch == 0) return {};
    parallel_chunks(args, count_, grain_for(copy_cost(pitch)), [&](auto begin, auto end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const auto* x = args.input<std::byte>(0) + r * pitch;
        auto* y = args.output<std::byte>(0) + r * pitch;
        const std::int64_t diagonal = r % rows_ + k_;  // upper keeps columns from here on
        const std::int64_t cut =
            std::clamp<std::int64_t>(upper_ ? diagonal : diagonal + 1, 0, columns_) * size_;
        const std::int64_t zeros = upper_ ? 0 : cut, kept = upper_ ? cut : 0;
        const std::int64_t zero_bytes = upper_ ? cut : pitch - cut;
        if (x != y) std::memcpy(y + kept, x + kept, static_cast<std::size_t>(pitch - zero_bytes));
        std::memset(y + zeros, 0, static_cast<std::size_t>(zero_bytes));
      }
    });
    return {};
  }

 private:
  bool upper_;
  std::int64_t size_ = 0, rows_ = 0, columns_ = 0, count_ = 0, k_ = 0;
};

}  // namespace

KernelPtr make_trilu_cpu(const KernelSpec& spec) {
  return make_kernel<TriluKernel>(spec.memory, spec);
}

}  // namespace skiff
