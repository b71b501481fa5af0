#include "runtime/ops/conv_depthwise.h"

#include <algorithm>

#include "runtime/cpu/activation.h"
#include "runtime/cpu/packing.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/conv_packed.h"
#include "runtime/ops/window_grid.h"

namespace skiff {

namespace {

class DepthwiseConv final : public RowConv {
 public:
  DepthwiseConv(const KernelSpec& spec, const ConvGeometry& g)
      : table_(spec.table),
        weights_{g.cin, g.taps(), spec.table.lanes},
        rows_(g.batch * g.out[1]),
        weight_type_(spec.input(1).dtype),
        constant_(spec.input(1).constant),
        has_bias_(spec.node.has_input(2)),
        has_residual_(spec.node.has_input(3)) {
    static_cast<cpu::WindowGrid&>(args_) = read_window_grid(g, g.cin);
    const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
    args_.epilogue = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta());
    rows_per_task_ = cpu::window_rows_per_task(rows_, cpu::work_of({g.out[2], g.cin, g.taps()}));
    flops_ = cpu::work_of({2, rows_, g.out[2], g.cin, g.taps()});
  }

  std::size_t workspace_bytes() const noexcept override { return constant_ ? 0 : bytes(); }
  std::size_t packed_bytes(int input) const noexcept override {
    return input == 1 && constant_ ? bytes() : 0;
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    return input == 1 ? static_cast<std::size_t>(weights_.block_elements()) *
                            (sizeof(float) + sizeof(std::uint16_t))
                      : 0;
  }
  std::uint64_t pack_key(int) const noexcept override {
    // Channels follow from the constant.
    return 0xd1u + static_cast<std::uint64_t>(weights_.taps * 64 + table_.lanes) * 256;
  }

  void pack(int, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    auto* rows = reinterpret_cast<float*>(scratch.data());
    auto* to = reinterpret_cast<float*>(packed.data());
    std::byte* stored =
        scratch.data() + sizeof(float) * static_cast<std::size_t>(weights_.block_elements());
    std::fill_n(to, weights_.elements(), 0.0f);
    for (std::int64_t c = 0; c < args_.channels; c += weights_.lanes) {
      const std::int64_t count = std::min(weights_.lanes, args_.channels - c);
      cpu::read_floats(reader, weight_type_, count * weights_.taps, rows, stored);
      for (std::int64_t i = 0; i < count; ++i) weights_.put(c + i, rows + i * weights_.taps, to);
    }
  }

  bool can_overwrite(int input, int) const noexcept override { return input == 3; }

  Status run(const RunArgs& args) noexcept override {
    cpu::WindowArgs a = args_;
    a.input = args.input<float>(0);
    a.weights = constant_ ? args.input<float>(1) : pack_now(args);
    a.zeros = a.weights + weights_.zeros();
    if (has_bias_) a.bias = args.input<float>(2);
    if (has_residual_) a.residual = args.input<float>(3);
    a.output = args.output<float>(0);
    args.pool.parallel_for(ceil_div(rows_, rows_per_task_), [&](std::int64_t task) {
      const std::int64_t begin = task * rows_per_task_;
      table_.depthwise(a, begin, std::min(rows_, begin + rows_per_task_));
    });
    return {};
  }

  void run_rows(const RowWindow& input, std::int64_t row, std::int64_t rows,
                const RowOperands& operands) const noexcept override {
    cpu::WindowArgs a = args_;
    // As if the image were the rows that are there and the result those that are asked for.
    a.in_h = static_cast<std::int32_t>(input.count);
    a.out_h = static_cast<std::int32_t>(rows);
    a.pad_top = static_cast<std::int32_t>(a.pad_top + input.first - row * a.stride_h);
    a.input = static_cast<const float*>(input.base);
    a.in_slot = static_cast<std::int32_t>(input.slot);
    a.in_ring = static_cast<std::int32_t>(input.ring);
    a.weights = operands.weights;
    a.zeros = a.weights + weights_.zeros();
    a.bias = operands.bias;
    a.residual = operands.residual;
    a.output = operands.output;
    table_.depthwise(a, 0, rows);
  }

  std::int64_t flops() const noexcept override { return flops_; }
  const char* algorithm() const noexcept override { return "depthwise"; }

 private:
  std::size_t bytes() const noexcept {
    return static_cast<std::size_t>(weights_.elements()) * sizeof(float);
  }

  const float* pack_now(const RunArgs& args) const noexcept {
    auto* to = static_cast<float*>(args.workspace);
    std::fill_n(to, weights_.elements(), 0.0f);
    for (std::int64_t c = 0; c < args_.channels; ++c)
      weights_.put(c, args.input<float>(1) + c * weights_.taps, to);
    return to;
  }

  const cpu::KernelTable& table_;
  cpu::WindowArgs args_;
  DepthwiseWeights weights_;
  std::int64_t rows_;  // of all images
  std::int64_t rows_per_task_ = 1;
  std::int64_t flops_ = 0;
  DType weight_type_;
  bool constant_;
  bool has_bias_;
  bool has_residual_;
};

}  // namespace

bool depthwise_fits(const ConvGeometry& g) noexcept {
  return g.spatial <= 2 && g.groups == g.cin && g.cout == g.cin && g.groups > 1;
}

RowConvPtr make_depthwise_conv(const KernelSpec& spec, const ConvGeometry& g) {
  return make_row_kernel<DepthwiseConv>(spec.memory, spec, g);
}

}  // namespace skiff
