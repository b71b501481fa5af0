#include <algorithm>
#include <cstring>

#include "runtime/cpu/activation.h"
#include "runtime/cpu/packing.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/cpu/winograd.h"
#include "runtime/ops/conv_packed.h"
#include "runtime/ops/half_product.h"

namespace skiff {
namespace {

cpu::WinogradChoice choose(const KernelSpec& spec, const ConvGeometry& g) noexcept {
  return cpu::choose_winograd(spec.table, g.batch, g.out[1], g.out[2], g.cin, g.cout,
                              half_conv_fits(spec.node, g, spec.table));
}

std::int64_t tiles_of(std::int64_t tile, const ConvGeometry& g) noexcept {
  return cpu::winograd_tiles(tile, g.batch, g.out[1], g.out[2]);
}

/// Constant weights [cout][3][3][cin] become the products' panels, then a row of zeros for padding.
class WinogradConv final : public Kernel {
 public:
  WinogradConv(const KernelSpec& spec, cpu::WinogradChoice choice, const ConvGeometry& g,
               const ConvGeometry& widest)
      : table_(spec.table),
        transforms_(spec.table.winograd[choice.tile == 4]),
        plan_(cpu::plan_winograd(spec.table, choice.tile, tiles_of(choice.tile, g),
                                 tiles_of(choice.tile, widest), g.cin, g.cout, spec.threads)),
        saved_(choice.saved),
        direct_bytes_(half_conv_fits(spec.node, widest, spec.table) ? sizeof(std::uint16_t)
                                                                    : sizeof(float)),
        threads_(spec.threads),
        weight_type_(spec.input(1).dtype),
        has_bias_(spec.node.has_input(2)),
        has_residual_(spec.node.has_input(3)) {
    const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
    const auto number = [](std::int64_t value) { return static_cast<std::int32_t>(value); };
    args_.epilogue = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta());
    args_.cin = g.cin, args_.cout = g.cout;
    args_.in_h = number(g.in[1]), args_.in_w = number(g.in[2]);
    args_.out_h = number(g.out[1]), args_.out_w = number(g.out[2]);
    args_.pad_top = number(g.pad_begin[1]), args_.pad_left = number(g.pad_begin[2]);
    args_.tiles_h = number(ceil_div(g.out[1], plan_.tile));
    args_.tiles_w = number(ceil_div(g.out[2], plan_.tile));
    flops_ = cpu::work_of({2, g.batch, g.out_pixels(), g.cout, 9, g.cin});
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(threads_ * room()) * sizeof(float);
  }
  std::size_t packed_bytes(int input) const noexcept override {
    return input == 1 ? static_cast<std::size_t>(zeros_at() + args_.cin) * sizeof(float) : 0;
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    const std::int64_t elements = table_.lanes * 9 * args_.cin;
    return input == 1 ? static_cast<std::size_t>(elements) * (sizeof(float) + sizeof(std::uint16_t))
                      : 0;
  }
  std::uint64_t pack_key(int) const noexcept override {
    // Channels follow from the constant.
    const std::int64_t form = (plan_.tile * 64 + table_.lanes) * 8 + plan_.layout.vectors;
    return 0x3133u + static_cast<std::uint64_t>(form) * 65536;
  }

  void pack(int, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    const std::int64_t lanes = table_.lanes, row = 9 * args_.cin;
    auto* to = reinterpret_cast<float*>(packed.data());
    auto* rows = reinterpret_cast<float*>(scratch.data());
    std::byte* stored = scratch.data() + sizeof(float) * static_cast<std::size_t>(lanes * row);
    for (std::int64_t n = 0; n < args_.cout; n += lanes) {
      const std::int64_t columns = std::min(lanes, args_.cout - n);
      cpu::read_floats(reader, weight_type_, columns * row, rows, stored);
      const std::int64_t panel = n / plan_.layout.wide();
      transforms_.weights(rows, args_.cin, columns,
                          to + plan_.layout.offset(panel) + (n - panel * plan_.layout.wide()),
                          plan_.layout.width(panel), plan_.layout.elements());
    }
    std::memset(to + zeros_at(), 0, static_cast<std::size_t>(args_.cin) * sizeof(float));
  }

  bool can_overwrite(int input, int) const noexcept override { return input == 3; }

  Status run(const RunArgs& args) noexcept override {
    cpu::WinogradArgs a = args_;
    a.input = args.input<float>(0);
    const auto* weights = args.input<float>(1);
    a.zeros = weights + zeros_at();
    if (has_bias_) a.bias = args.input<float>(2);
    if (has_residual_) a.residual = args.input<float>(3);
    a.output = args.output<float>(0);
    const std::int64_t groups = plan_.groups();
    args.pool.parallel_for(plan_.tasks(), [&](std::int64_t task, int thread) {
      run_block(a, weights, task / groups, task % groups,
                static_cast<float*>(args.workspace) + thread * room());
    });
    return {};
  }

  std::int64_t flops() const noexcept override { return flops_; }
  Bargain bargain() const noexcept override {
    const std::int64_t bytes = plan_.products() * std::int64_t{sizeof(float)};
    return {plan_.layout.elements() * (bytes - 9 * direct_bytes_), saved_};
  }
  const char* algorithm() const noexcept override {
    return plan_.tile == 2 ? "winograd 2x2" : "winograd 4x4";
  }

 private:
  std::int64_t zeros_at() const noexcept { return plan_.products() * plan_.layout.elements(); }
  std::int64_t room() const noexcept { return round_up(plan_.room, 16); }

  void run_block(const cpu::WinogradArgs& a, const float* weights, std::int64_t block,
                 std::int64_t group, float* scratch) const noexcept {
    const cpu::PanelLayout& layout = plan_.layout;
    const std::int64_t begin = block * plan_.block,
                       end = std::min(plan_.tiles, begin + plan_.block);
    const std::int64_t count = end - begin, first = group * plan_.group;
    const std::int64_t panels = std::min(plan_.group, layout.panels() - first);
    const std::int64_t column = first * layout.wide();
    const std::int64_t width = std::min(layout.padded_columns() - column, plan_.group_columns());
    const std::int64_t step = plan_.input_elements(a.cin) / plan_.products();
    float* products = scratch + plan_.input_elements(a.cin);
    transforms_.input(a, begin, end, scratch, step);
    cpu::ConvArgs c;
    c.k = c.in_x = a.cin;
    c.n = c.out_x = width;
    c.vectors = static_cast<std::int32_t>(layout.vectors);
    c.streams = plan_.streams;
    c.linear = true;
    for (std::int64_t i = 0; i < plan_.products(); ++i) {
      c.input = scratch + i * step;
      c.weights = weights + i * layout.elements() + layout.offset(first);
      c.output = products + i * count * width;
      table_.conv(c, 0, count, 0, panels);
    }
    transforms_.output(a, begin, end, column, std::min(width, a.cout - column), products, width,
                       count * width);
  }

  const cpu::KernelTable& table_;
  const cpu::WinogradTable& transforms_;
  cpu::WinogradArgs args_;
  cpu::WinogradPlan plan_;
  std::int64_t saved_;
  std::int64_t direct_bytes_;  // of a weight, were the form direct
  std::int64_t threads_;
  std::int64_t flops_ = 0;
  DType weight_type_;
  bool has_bias_;
  bool has_residual_;
};

}  // namespace

bool winograd_fits(const KernelSpec& spec, const ConvGeometry& g) noexcept {
  const auto is = [](const ConvGeometry::Axes& axes, std::int64_t depth, std::int64_t value) {
    return axes[0] == depth && axes[1] == value && axes[2] == value;
  };
  return g.spatial == 2 && g.groups == 1 && is(g.kernel, 1, 3) && is(g.stride, 1, 1) &&
         is(g.dilation, 1, 1) && spec.input(1).constant && choose(spec, g).tile > 0;
}

KernelPtr make_winograd_conv(const KernelSpec& spec, const ConvGeometry& g,
                             const ConvGeometry& widest) {
  return make_kernel<WinogradConv>(spec.memory, spec, choose(spec, widest), g, widest);
}

}  // namespace skiff
