#include <vector>

#include "runtime/cuda/copy.h"
#include "runtime/cuda/kernels.h"

namespace skiff::cuda {
namespace {

/// One copy an operand; one that the plan already placed inside the result needs none.
class Concat final : public Kernel {
 public:
  explicit Concat(const KernelSpec& spec) : parts_(&spec.memory) {
    const int axis = static_cast<int>(spec.node.attrs<fb::AxisAttrs>().axis());
    const TensorInfo& y = spec.output(0);
    const Strides to = row_major(y.shape);
    parts_.reserve(spec.node.inputs.size());
    std::int64_t start = 0;
    for (const TensorInfo* x : spec.node.inputs) {
      parts_.push_back({StridedCopy(y.dtype, x->shape, row_major(x->shape), to), start});
      start += x->shape[axis] * to[at(axis)] * static_cast<std::int64_t>(size_of(y.dtype));
    }
    in_place_ = y.shape.elements(0, axis) == 1;
    empty_ = y.shape.elements() == 0;
  }

  const char* algorithm() const noexcept override { return "strided copy"; }

  void enqueue(const LaunchArgs& args) override {
    if (empty_) return;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const auto* from = args.input<std::byte>(static_cast<int>(i));
      auto* to = args.output<std::byte>(0) + parts_[i].start;
      if (!in_place_ || from != to) parts_[i].copy.enqueue(args, from, to);
    }
  }

 private:
  struct Part {
    StridedCopy copy;
    std::int64_t start;  ///< bytes into the result
  };
  std::pmr::vector<Part> parts_;
  bool in_place_ = false, empty_ = false;
};

}  // namespace

KernelPtr make_concat(const KernelSpec& spec) { return make_kernel<Concat>(spec.memory, spec); }

}  // namespace skiff::cuda
