#include <cstring>

#include "runtime/ops/convert.h"
#include "runtime/ops/elementwise.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

class CastKernel final : public Kernel {
 public:
  explicit CastKernel(const KernelSpec& spec)
      : convert_(find_convert(spec.node, spec.input(0).dtype, spec.output(0).dtype)),
        count_(spec.output(0).elements()),
        in_size_(static_cast<std::int64_t>(size_of(spec.input(0).dtype))),
        out_size_(static_cast<std::int64_t>(size_of(spec.output(0).dtype))) {}

  bool can_overwrite(int, int) const noexcept override { return in_size_ == out_size_; }

  Status run(const RunArgs& args) noexcept override {
    parallel_flat(args, count_, 2, [&](std::int64_t begin, std::int64_t count) {
      convert_(args.input<std::byte>(0) + begin * in_size_,
               args.output<std::byte>(0) + begin * out_size_, count);
    });
    return {};
  }

 private:
  Convert convert_;
  std::int64_t count_, in_size_, out_size_;
};

}  // namespace

KernelPtr make_cast_cpu(const KernelSpec& spec) {
  return make_kernel<CastKernel>(spec.memory, spec);
}

}  // namespace skiff
