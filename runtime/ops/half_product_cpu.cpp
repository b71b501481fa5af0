#include "runtime/ops/half_product.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/hash.h"
#include "runtime/cpu/isa.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/cpu/tiling.h"
#include "runtime/ops/conv_block.h"
#include "runtime/ops/conv_packed.h"

namespace skiff {
namespace {

using Half = std::uint16_t;

// Numbers that a task brings to float16.
constexpr std::int64_t kChunk = 32 << 10;

/// Weights are packed at load as they are stored, the row that stands for padding behind them:
///   panels | zeros [k]
/// Every run brings the input to float16 in the workspace, once for all windows and panels.
class HalfProduct final : public Kernel {
 public:
  HalfProduct(const KernelSpec& spec, const HalfForm& form)
      : halves_(*cpu::half_products(spec.table)),
        form_(form),
        widened_(spec.input(1).dtype == DType::float32),
        has_bias_(spec.node.has_input(2)),
        has_residual_(spec.node.has_input(3)) {
    static_cast<cpu::RowGrid&>(args_) = form.grid;
    args_.epilogue = form.epilogue;
    // A pair of columns is an element: it takes the place of a float in registers and caches.
    layout_ = cpu::choose_layout(spec.table, form.usual_rows, ceil_div(args_.n, std::int64_t{2}),
                                 args_.k * args_.tap_count);
    args_.vectors = static_cast<std::int32_t>(layout_.vectors);
    const std::int64_t row_elements =
        std::max<std::int64_t>(1, form.inputs / 2 / std::max<std::int64_t>(1, form.rows));
    partition_ = cpu::choose_partition(spec.table, layout_, form.rows, row_elements, spec.threads);
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(form_.inputs) * sizeof(Half);
  }
  std::size_t packed_bytes(int input) const noexcept override {
    return input == 1 ? static_cast<std::size_t>(zeros_at() + args_.k) * sizeof(Half) : 0;
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    // As floats, which widened constants are read as, and as halves.
    return input == 1 ? static_cast<std::size_t>(stored_width() * stored_at_once()) *
                            (sizeof(float) + sizeof(Half))
                      : 0;
  }
  std::uint64_t pack_key(int) const noexcept override {
    std::uint64_t key = 0x4a1fu + (form_.columns_stored ? 1 : 0);
    for (const std::int64_t value : {layout_.lanes, layout_.vectors, layout_.depth, args_.k})
      key = hashed(key, value);
    return key;
  }

  void pack(int, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    std::memset(packed.data(), 0, packed.size());
    auto* to = reinterpret_cast<Half*>(packed.data());
    auto* floats = reinterpret_cast<float*>(scratch.data());
    auto* stored = reinterpret_cast<Half*>(floats + stored_width() * stored_at_once());
    const std::int64_t rows = form_.columns_stored ? args_.n : layout_.depth;
    for (std::int64_t row = 0; row < rows; row += stored_at_once()) {
      const std::int64_t count = std::min(stored_at_once(), rows - row);
      read(reader, count * stored_width(), floats, stored);
      if (form_.columns_stored)
        pack_columns(stored, row, count, to);
      else
        pack_rows(stored, row, count, to);
    }
  }

  /// The residual is read where the output is written, just before.
  bool can_overwrite(int input, int) const noexcept override { return input == 3; }

  Status run(const RunArgs& args) noexcept override {
    const float* x = args.input<float>(0);
    auto* halves = static_cast<Half*>(args.workspace);
    args.pool.parallel_for(ceil_div(form_.inputs, kChunk), [&](std::int64_t task) {
      const std::int64_t at = task * kChunk;
      halves_.to_halves(x + at, halves + at, std::min(kChunk, form_.inputs - at));
    });
    cpu::HalfArgs a = args_;
    a.input = halves;
    a.weights = args.input<Half>(1);
    a.zeros = form_.padded ? a.weights + zeros_at() : nullptr;
    a.bias = has_bias_ ? args.input<float>(2) : nullptr;
    a.residual = has_residual_ ? args.input<float>(3) : nullptr;
    a.output = args.output<float>(0);
    args.pool.parallel_for(partition_.tasks(), [&](std::int64_t task) {
      const cpu::TaskBlock block = cpu::block_of(partition_, task);
      halves_.conv(a, block.row_begin, block.row_end, block.panel_begin, block.panel_end);
    });
    return {};
  }

  std::int64_t flops() const noexcept override {
    return cpu::work_of({2, form_.rows, layout_.depth, args_.n});
  }
  const char* algorithm() const noexcept override {
    return args_.linear ? "half product" : "half indirect";
  }

 private:
  std::int64_t zeros_at() const noexcept { return 2 * layout_.elements(); }
  /// The stored matrix: its rows' length, and how many are packed at a time.
  std::int64_t stored_width() const noexcept {
    return form_.columns_stored ? layout_.depth : args_.n;
  }
  std::int64_t stored_at_once() const noexcept {
    if (form_.columns_stored) return 2 * layout_.lanes;
    const std::int64_t depth = std::max<std::int64_t>(1, layout_.depth);
    return std::clamp(kChunk / std::max<std::int64_t>(1, args_.n), std::int64_t{1}, depth);
  }

  /// The next numbers of the constant as float16, in which they are stored.
  void read(ConstantReader& reader, std::int64_t count, float* floats, Half* to) const {
    const auto length = static_cast<std::size_t>(count);
    if (!widened_) return reader.read({reinterpret_cast<std::byte*>(to), length * sizeof(Half)});
    reader.read({reinterpret_cast<std::byte*>(floats), length * sizeof(float)});
    halves_.to_halves(floats, to, count);
  }

  /// Columns [column, column + count), at most a vector.
  void pack_columns(const Half* stored, std::int64_t column, std::int64_t count,
                    Half* to) const noexcept {
    const std::int64_t panel = column / 2 / layout_.wide(), width = 2 * layout_.width(panel);
    to += 2 * layout_.offset(panel) + column - panel * 2 * layout_.wide();
    for (std::int64_t k = 0; k < layout_.depth; ++k, to += width)
      for (std::int64_t c = 0; c < count; ++c) to[c] = stored[c * layout_.depth + k];
  }

  /// Numbers [k, k + count) of every column.
  void pack_rows(const Half* stored, std::int64_t k, std::int64_t count, Half* to) const noexcept {
    for (std::int64_t panel = 0; panel < layout_.panels(); ++panel) {
      const std::int64_t column = panel * 2 * layout_.wide(), width = 2 * layout_.width(panel);
      const std::int64_t columns = std::min(width, args_.n - column);
      Half* row = to + 2 * layout_.offset(panel) + k * width;
      for (std::int64_t i = 0; i < count; ++i, row += width)
        std::copy_n(stored + i * args_.n + column, columns, row);
    }
  }

  const cpu::HalfTable& halves_;
  HalfForm form_;
  cpu::HalfArgs args_;  // pointers are set on each run
  cpu::PanelLayout layout_;
  cpu::Partition partition_;
  bool widened_;  // the constant is read as float32
  bool has_bias_;
  bool has_residual_;
};

}  // namespace

bool allows_half_sums(const NodeView& node, fb::DType sums,
                      const cpu::KernelTable& table) noexcept {
  const TensorInfo& w = node.input(1);
  const DType stored = w.stored == DType::none ? w.dtype : w.stored;
  return sums == fb::DType::float16 && w.constant && stored == DType::float16 &&
         node.input(0).dtype == DType::float32 && cpu::half_products(table) != nullptr;
}

KernelPtr make_half_product(const KernelSpec& spec, const HalfForm& form) {
  return make_kernel<HalfProduct>(spec.memory, spec, form);
}

bool half_conv_fits(const NodeView& node, const ConvGeometry& g,
                    const cpu::KernelTable& table) noexcept {
  if (g.groups != 1 || !allows_half_sums(node, node.attrs<fb::ConvAttrs>().sums(), table) ||
      cpu::narrow_columns(table, g.cout, g.cin, g.taps()) > 0)
    return false;
  if (!is_pointwise(g)) return true;
  const std::int64_t bytes =
      g.batch * g.out_pixels() * std::max(g.cin, g.cout) * std::int64_t{sizeof(float)};
  const std::int64_t work = cpu::work_of({g.batch, g.out_pixels(), g.cin, g.cout});
  return static_cast<double>(work) / 2 > traffic_cost(bytes);
}

KernelPtr make_half_conv(const KernelSpec& spec, const ConvGeometry& g,
                         const ConvGeometry& widest) {
  const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
  HalfForm form{.grid = window_grid(g, spec.memory),
                .rows = g.batch * g.out_pixels(),
                .usual_rows = widest.batch * widest.out_pixels(),
                .inputs = g.batch * g.in_pixels() * g.cin,
                .padded = is_padded(g),
                .epilogue = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta())};
  form.grid.n = g.cout;
  return make_half_product(spec, form);
}

}  // namespace skiff
