#include <algorithm>
#include <cstring>

#include "runtime/ops/binary_rows.h"
#include "runtime/ops/elementwise.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/unary_run.h"

namespace skiff {
namespace {

using fb::BinaryFunction;

/// A short row of one operand that repeats for every row of the other, a bias of few channels, is
/// repeated in this many bytes on the stack so that runs become long.
constexpr std::int64_t kTileBytes = 2048;
constexpr std::int64_t kShortRow = 64;

class BinaryKernel final : public Kernel {
 public:
  BinaryKernel(const KernelSpec& spec, const fb::BinaryAttrs& attrs)
      : rows_(choose_rows(spec.node, attrs.function(), spec.input(0).dtype, spec.input(1).dtype,
                          spec.table)),
        loop_(spec.output(0).shape, {broadcast_strides(spec.input(0).shape, spec.output(0).shape),
                                     broadcast_strides(spec.input(1).shape, spec.output(0).shape)}),
        in_size_{size(spec.input(0).dtype), size(spec.input(1).dtype)},
        out_size_(size(spec.output(0).dtype)) {
    if (attrs.activation() != fb::UnaryFunction::none)
      activation_ = make_unary_run(spec.node, attrs.activation(), attrs.alpha(), attrs.beta(),
                                   spec.output(0).dtype, spec.table);
    for (int n = 0; n < 2; ++n)
      same_shape_[n] = spec.input(n).shape == spec.output(0).shape && in_size_[n] == out_size_;
    cost_ = rows_.cost + (activation_ ? activation_.cost() : 0);
  }

  bool can_overwrite(int input, int) const noexcept override { return same_shape_[input]; }

  Status run(const RunArgs& args) noexcept override {
    const auto* a = args.input<std::byte>(0);
    const auto* b = args.input<std::byte>(1);
    auto* y = args.output<std::byte>(0);
    if (const int repeated = repeated_operand(); repeated >= 0) {
      run_tiled(args, repeated, a, b, y);
      return {};
    }
    const std::int64_t step_a = loop_.inner_stride(0), step_b = loop_.inner_stride(1);
    parallel_runs(args, loop_, cost_, [&](const auto& from, std::int64_t to, std::int64_t count) {
      compute(a + from[0] * in_size_[0], step_a, b + from[1] * in_size_[1], step_b,
              y + to * out_size_, count);
    });
    return {};
  }

 private:
  static std::int64_t size(DType dtype) { return static_cast<std::int64_t>(size_of(dtype)); }

  void compute(const std::byte* a, std::int64_t step_a, const std::byte* b, std::int64_t step_b,
               std::byte* y, std::int64_t count) const {
    rows_.run(rows_, a, step_a, b, step_b, y, count);
    if (activation_) activation_(y, y, count);
  }

  /// The operand whose short row is the same for all rows, while the other is dense; -1: none.
  int repeated_operand() const noexcept {
    if (loop_.rank != 2 || loop_.inner() > kShortRow || loop_.extents[0] < 4) return -1;
    for (int n = 0; n < 2; ++n) {
      const Strides& mine = loop_.strides[at(n)];
      const Strides& other = loop_.strides[at(1 - n)];
      if (mine[0] == 0 && mine[1] == 1 && other[0] == loop_.inner() && other[1] == 1) return n;
    }
    return -1;
  }

  void run_tiled(const RunArgs& args, int repeated, const std::byte* a, const std::byte* b,
                 std::byte* y) const {
    const std::int64_t inner = loop_.inner(), size = in_size_[repeated];
    const std::int64_t copies = std::max<std::int64_t>(1, kTileBytes / (inner * size));
    const std::int64_t run = copies * inner, total = loop_.extents[0] * inner;
    alignas(64) std::byte tile[kTileBytes];
    for (std::int64_t i = 0; i < copies; ++i)
      std::memcpy(tile + i * inner * size, repeated == 0 ? a : b,
                  static_cast<std::size_t>(inner * size));
    parallel_chunks(args, (total + run - 1) / run, grain_for(run * cost_),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t i = begin; i < end; ++i) {
                        const std::int64_t from = i * run, n = std::min(run, total - from);
                        const std::byte* p = repeated == 0 ? tile : a + from * in_size_[0];
                        const std::byte* q = repeated == 1 ? tile : b + from * in_size_[1];
                        compute(p, 1, q, 1, y + from * out_size_, n);
                      }
                    });
  }

  BinaryRows rows_;
  StridedLoop<2> loop_;
  UnaryRun activation_;
  std::int64_t in_size_[2];
  std::int64_t out_size_;
  std::int64_t cost_ = 1;
  bool same_shape_[2] = {};
};

}  // namespace

KernelPtr make_binary_cpu(const KernelSpec& spec) {
  return make_kernel<BinaryKernel>(spec.memory, spec, spec.node.attrs<fb::BinaryAttrs>());
}

}  // namespace skiff
