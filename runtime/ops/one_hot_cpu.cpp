#include <cstring>

#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/strided_copy.h"

namespace skiff {
namespace {

class OneHotKernel final : public Kernel {
 public:
  explicit OneHotKernel(const KernelSpec& spec)
      : index_type_(spec.input(0).dtype),
        size_(size_of(spec.input(1).dtype)),
        split_(split_at(spec.output(0).shape,
                        static_cast<int>(spec.node.attrs<fb::OneHotAttrs>().axis()))) {}

  Status run(const RunArgs& args) noexcept override {
    const Indices indices(args.inputs[0], index_type_);
    const auto size = static_cast<std::int64_t>(size_);
    const auto* values = args.input<std::byte>(1);
    const std::int64_t table = split_.extent * split_.inner;
    parallel_chunks(args, split_.outer, grain_for(table), [&](auto begin, auto end) {
      auto* y = args.output<std::byte>(0);
      fill_elements(y + begin * table * size, (end - begin) * table, values, size_);
      for (std::int64_t i = begin * split_.inner; i < end * split_.inner; ++i) {
        const std::int64_t index = indices.wrapped(i, split_.extent);
        if (index < 0) continue;
        const std::int64_t place =
            (i / split_.inner * split_.extent + index) * split_.inner + i % split_.inner;
        std::memcpy(y + place * size, values + size, size_);
      }
    });
    return {};
  }

 private:
  DType index_type_;
  std::size_t size_;
  AxisSplit split_;
};

}  // namespace

KernelPtr make_one_hot_cpu(const KernelSpec& spec) {
  return make_kernel<OneHotKernel>(spec.memory, spec);
}

}  // namespace skiff
