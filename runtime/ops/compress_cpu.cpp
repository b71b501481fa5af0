#include <algorithm>
#include <cstring>

#include "runtime/ops/counted.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/strided.h"

namespace skiff {
namespace {

class CompressKernel final : public Kernel {
 public:
  CompressKernel(const KernelSpec& spec, std::int64_t axis)
      : room_(room_for(spec, most_compress(spec.node))) {
    const TensorInfo& x = spec.input(0);
    const auto size = static_cast<std::int64_t>(size_of(x.dtype));
    split_ =
        axis < 0 ? AxisSplit{1, x.shape.elements(), 1} : split_at(x.shape, static_cast<int>(axis));
    slice_ = split_.inner * size;
    reach_ = std::min(split_.extent, spec.input(1).shape.elements());
  }

  Status run(const RunArgs& args) noexcept override {
    const auto* kept = args.input<std::uint8_t>(1);  // any byte but 0 is true
    const std::int64_t count = reach_ - std::count(kept, kept + reach_, 0);
    const Status status = report_count(args, count, room_);
    if (!status.ok() || slice_ == 0) return status;
    const auto* from = args.input<std::byte>(0);
    auto* to = args.output<std::byte>(0);
    for (std::int64_t o = 0; o < split_.outer; ++o, from += split_.extent * slice_)
      for (std::int64_t i = 0; i < reach_; ++i) {
        if (kept[i] == 0) continue;
        std::memcpy(to, from + i * slice_, static_cast<std::size_t>(slice_));
        to += slice_;
      }
    return {};
  }

 private:
  AxisSplit split_;
  std::int64_t slice_ = 0, reach_ = 0, room_;
};

}  // namespace

KernelPtr make_compress_cpu(const KernelSpec& spec) {
  return make_kernel<CompressKernel>(spec.memory, spec, spec.node.attrs<fb::AxisAttrs>().axis());
}

}  // namespace skiff
