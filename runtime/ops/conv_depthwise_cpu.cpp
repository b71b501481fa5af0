#include <algorithm>
#include <cstring>

#include "runtime/cpu/activation.h"
#include "runtime/cpu/packing.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/conv_packed.h"

namespace skiff {
namespace {

/// Weights [C][taps] become [C / lanes][taps][lanes], followed by a row of zeros for padding.
class DepthwiseConv final : public RowConv {
 public:
  DepthwiseConv(const KernelSpec& spec, const ConvGeometry& g)
      : table_(spec.table),
        rows_(g.batch * g.out[1]),
        taps_(g.taps()),
        weight_type_(spec.input(1).dtype),
        constant_(spec.input(1).constant),
        has_bias_(spec.node.has_input(2)),
        has_residual_(spec.node.has_input(3)) {
    const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
    args_.epilogue = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta());
    args_.channels = args_.in_pixel = args_.out_pixel = g.cin;
    const auto number = [](std::int64_t value) { return static_cast<std::int32_t>(value); };
    args_.in_h = number(g.in[1]), args_.in_w = number(g.in[2]);
    args_.out_h = number(g.out[1]), args_.out_w = number(g.out[2]);
    args_.kernel_h = number(g.kernel[1]), args_.kernel_w = number(g.kernel[2]);
    args_.stride_h = number(g.stride[1]), args_.stride_w = number(g.stride[2]);
    args_.dilation_h = number(g.dilation[1]), args_.dilation_w = number(g.dilation[2]);
    args_.pad_top = number(g.pad_begin[1]), args_.pad_left = number(g.pad_begin[2]);
    rows_per_task_ = cpu::window_rows_per_task(rows_, cpu::work_of({g.out[2], g.cin, taps_}));
    flops_ = cpu::work_of({2, rows_, g.out[2], g.cin, taps_});
  }

  std::size_t workspace_bytes() const noexcept override { return constant_ ? 0 : bytes(); }
  std::size_t packed_bytes(int input) const noexcept override {
    return input == 1 && constant_ ? bytes() : 0;
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    return input == 1 ? static_cast<std::size_t>(taps_) * (sizeof(float) + sizeof(std::uint16_t))
                      : 0;
  }
  std::uint64_t pack_key(int) const noexcept override {
    // Channels follow from the constant.
    return 0xd1u + static_cast<std::uint64_t>(taps_ * 64 + table_.lanes) * 256;
  }

  void pack(int, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    auto* row = reinterpret_cast<float*>(scratch.data());
    auto* to = reinterpret_cast<float*>(packed.data());
    std::byte* stored = scratch.data() + sizeof(float) * static_cast<std::size_t>(taps_);
    clear(to);
    for (std::int64_t c = 0; c < args_.channels; ++c) {
      cpu::read_floats(reader, weight_type_, taps_, row, stored);
      put_channel(c, row, to);
    }
  }

  bool can_overwrite(int input, int) const noexcept override { return input == 3; }

  Status run(const RunArgs& args) noexcept override {
    cpu::WindowArgs a = args_;
    a.input = args.input<float>(0);
    a.weights = constant_ ? args.input<float>(1) : pack_now(args);
    a.zeros = a.weights + taps_ * padded_channels();
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
    const auto number = [](std::int64_t value) { return static_cast<std::int32_t>(value); };
    a.input = input.base;
    a.in_slot = number(input.slot), a.in_ring = number(input.ring);
    // As if the image were the rows that are there and the result those that are asked for.
    a.in_h = number(input.count);
    a.out_h = number(rows);
    a.pad_top = number(a.pad_top + input.first - row * a.stride_h);
    a.weights = operands.weights;
    a.zeros = a.weights + taps_ * padded_channels();
    a.bias = operands.bias;
    a.residual = operands.residual;
    a.output = operands.output;
    table_.depthwise(a, 0, rows);
  }

  std::int64_t flops() const noexcept override { return flops_; }
  const char* algorithm() const noexcept override { return "depthwise"; }

 private:
  std::int64_t padded_channels() const noexcept { return round_up(args_.channels, table_.lanes); }
  std::size_t bytes() const noexcept {
    return static_cast<std::size_t>((taps_ + 1) * padded_channels()) * sizeof(float);
  }

  void clear(float* to) const noexcept { std::memset(to, 0, bytes()); }
  void put_channel(std::int64_t c, const float* row, float* to) const noexcept {
    float* block = to + c / table_.lanes * taps_ * table_.lanes + c % table_.lanes;
    for (std::int64_t t = 0; t < taps_; ++t) block[t * table_.lanes] = row[t];
  }

  const float* pack_now(const RunArgs& args) const noexcept {
    auto* to = static_cast<float*>(args.workspace);
    clear(to);
    for (std::int64_t c = 0; c < args_.channels; ++c)
      put_channel(c, args.input<float>(1) + c * taps_, to);
    return to;
  }

  const cpu::KernelTable& table_;
  cpu::WindowArgs args_;
  std::int64_t rows_;  // of all images
  std::int64_t taps_;
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
