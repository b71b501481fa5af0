#include "runtime/ops/block.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

/// The operand seen as [outer, first, middle, second, block], first and second being the batch and
/// time axes in their order.
class ReverseSequenceKernel final : public Kernel {
 public:
  explicit ReverseSequenceKernel(const KernelSpec& spec) : index_type_(spec.input(1).dtype) {
    const Shape& x = spec.input(0).shape;
    const auto& attrs = spec.node.attrs<fb::ReverseSequenceAttrs>();
    const int batch = static_cast<int>(attrs.batch_axis());
    const int time = static_cast<int>(attrs.time_axis());
    const int first = std::min(batch, time), second = std::max(batch, time);
    time_first_ = time < batch;
    outer_ = x.elements(0, first);
    first_ = x[first];
    middle_ = x.elements(first + 1, second);
    second_ = x[second];
    block_ =
        x.elements(second + 1, x.rank()) * static_cast<std::int64_t>(size_of(spec.input(0).dtype));
  }

  Status run(const RunArgs& args) noexcept override {
    const Indices lengths(args.inputs[1], index_type_);
    const std::int64_t batches = time_first_ ? second_ : first_;
    const std::int64_t times = time_first_ ? first_ : second_;
    for (std::int64_t b = 0; b < batches; ++b)
      if (lengths[b] < 0 || lengths[b] > times)
        return {ErrorCode::bad_value, "a sequence's length is out of range"};
    if (block_ == 0) return {};
    const std::int64_t rows = outer_ * first_ * middle_;
    parallel_chunks(args, rows, grain_for(second_ * (3 + copy_cost(block_))),
                    [&](auto begin, auto end) {
                      with_block(block_, [&](auto bytes) {
                        for (std::int64_t row = begin; row < end; ++row)
                          reverse_row<decltype(bytes)::value>(args, lengths, row);
                      });
                    });
    return {};
  }

 private:
  template <int kBytes>
  void reverse_row(const RunArgs& args, const Indices& lengths, std::int64_t row) const noexcept {
    const std::int64_t i = row / middle_ % first_;
    for (std::int64_t j = 0; j < second_; ++j) {
      const std::int64_t length = lengths[time_first_ ? j : i], time = time_first_ ? i : j;
      const std::int64_t turned = time < length ? length - 1 - time : time;
      const std::int64_t from =
          time_first_ ? (row + (turned - time) * middle_) * second_ + j : row * second_ + turned;
      move_block<kBytes>(args.output<std::byte>(0) + (row * second_ + j) * block_,
                         args.input<std::byte>(0) + from * block_, block_);
    }
  }

  DType index_type_;
  bool time_first_ = true;
  std::int64_t outer_ = 1, first_ = 1, middle_ = 1, second_ = 1;
  std::int64_t block_ = 0;  // bytes
};

}  // namespace

KernelPtr make_reverse_sequence_cpu(const KernelSpec& spec) {
  return make_kernel<ReverseSequenceKernel>(spec.memory, spec);
}

}  // namespace skiff
