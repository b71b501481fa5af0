#include <vector>

#include "runtime/ops/ops.h"
#include "runtime/ops/strided_copy.h"

namespace skiff {
namespace {

class ConcatKernel final : public Kernel {
 public:
  explicit ConcatKernel(const KernelSpec& spec) : runs_(&spec.memory) {
    const int axis = static_cast<int>(spec.node.attrs<fb::AxisAttrs>().axis());
    const TensorInfo& y = spec.output(0);
    const auto size = static_cast<std::int64_t>(size_of(y.dtype));
    rows_ = split_at(y.shape, axis).outer;
    pitch_ = y.shape.elements(axis, y.shape.rank()) * size;
    runs_.reserve(spec.node.inputs.size());
    for (const TensorInfo* x : spec.node.inputs)
      runs_.push_back(x->shape.elements(axis, x->shape.rank()) * size);
  }

  Status run(const RunArgs& args) noexcept override {
    auto* to = args.output<std::byte>(0);
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      // An operand that the plan already placed inside the output needs no copy.
      if (rows_ > 1 || args.inputs[i] != to)
        copy_rows(args, args.inputs[i], runs_[i], to, pitch_, rows_, runs_[i]);
      to += runs_[i];
    }
    return {};
  }

 private:
  std::pmr::vector<std::int64_t> runs_;  // bytes of one row of each operand
  std::int64_t rows_ = 0;
  std::int64_t pitch_ = 0;  // bytes of one row of the output
};

}  // namespace

KernelPtr make_concat_cpu(const KernelSpec& spec) {
  return make_kernel<ConcatKernel>(spec.memory, spec);
}

}  // namespace skiff
