#include <algorithm>
#include <cstring>

#include "runtime/core/hash.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/cpu/tiling.h"
#include "runtime/ops/conv_packed.h"
#include "runtime/ops/conv_strips.h"
#include "runtime/ops/integer_kernels.h"

namespace skiff {
namespace {

constexpr std::int64_t kGroupBytes = 4;  // of neighbours along k, for every kind of product

/// Weights are packed at load, with the factors of the results, where the sums start, and the row
/// that stands for padding:
///   panels of every group | starts [groups][padded] | factors [groups][padded] | padding [k]
class IntegerProduct : public Kernel {
 public:
  IntegerProduct(const KernelSpec& spec, const ConvGeometry& g, const cpu::RowGrid& grid,
                 const cpu::IntegerTable& integers)
      : integers_(integers),
        geometry_(g),
        scales_(read_integer_scales(spec.node, spec.output(0))),
        has_bias_(spec.node.has_input(2)) {
    static_cast<cpu::RowGrid&>(args_) = grid;
    args_.n = g.group_cout();
    args_.is_signed = spec.input(0).dtype == DType::int8;
    args_.result = integer_result(spec, scales_);
    const ConvGeometry widest = read_conv_geometry(spec.widest());
    const std::int64_t depth = args_.tap_count * ceil_div(args_.k, std::int64_t{integers_.group});
    layout_ = cpu::choose_layout(spec.table, widest.batch * widest.out_pixels(), args_.n, depth);
    args_.vectors = static_cast<std::int32_t>(layout_.vectors);
    const std::int64_t row_elements = std::max<std::int64_t>(
        1, g.in_pixels() * g.group_cin() / kGroupBytes / std::max<std::int64_t>(1, g.out_pixels()));
    partition_ = cpu::choose_partition(spec.table, layout_, g.batch * g.out_pixels(), row_elements,
                                       spec.threads);
    flops_ = cpu::work_of({2, g.batch, g.out_pixels(), g.cout, g.taps(), g.group_cin()});
  }

  std::size_t packed_bytes(int input) const noexcept override {
    return input == 1 ? static_cast<std::size_t>(padding_at() + args_.k) : 0;
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    return input == 1 ? static_cast<std::size_t>(layout_.lanes * stored_depth()) : 0;
  }
  std::uint64_t pack_key(int) const noexcept override {
    std::uint64_t key = integer_key(scales_, geometry_.cout, offset());
    for (const std::int64_t value : {layout_.lanes, layout_.vectors, layout_.depth, args_.k,
                                     geometry_.groups, std::int64_t{integers_.group}})
      key = hashed(key, value);
    return key;
  }

  void pack(int, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    std::memset(packed.data(), 0, packed.size());
    auto* rows = reinterpret_cast<std::int8_t*>(scratch.data());
    for (std::int64_t group = 0; group < geometry_.groups; ++group)
      for (std::int64_t column = 0; column < args_.n; column += layout_.lanes) {
        const std::int64_t columns = std::min(layout_.lanes, args_.n - column);
        reader.read(scratch.first(static_cast<std::size_t>(columns * stored_depth())));
        std::byte* panels = packed.data() + group * layout_.elements() * kGroupBytes;
        if (integers_.bytes == 1)
          pack_columns<std::int8_t>(rows, column, columns, panels);
        else
          pack_columns<std::int16_t>(rows, column, columns, panels);
        describe_columns(rows, group, column, columns, packed.data());
      }
    std::memset(packed.data() + padding_at(), scales_.x.zero, static_cast<std::size_t>(args_.k));
  }

  Status run(const RunArgs& args) noexcept override {
    const std::int64_t tasks = partition_.tasks();
    args.pool.parallel_for(geometry_.groups * tasks, [&](std::int64_t task) {
      const std::int64_t group = task / tasks;
      cpu::IntegerArgs a = bound(args, group);
      a.input = args.input<std::uint8_t>(0) + group * args_.k;
      const cpu::TaskBlock block = cpu::block_of(partition_, task % tasks);
      integers_.conv(a, block.row_begin, block.row_end, block.panel_begin, block.panel_end);
    });
    return {};
  }

  std::int64_t flops() const noexcept override { return flops_; }
  const char* algorithm() const noexcept override {
    return args_.linear ? "integer product" : "integer indirect";
  }

 protected:
  /// Everything but the input, for a group's columns.
  cpu::IntegerArgs bound(const RunArgs& args, std::int64_t group) const noexcept {
    const auto* packed = args.input<std::byte>(1);
    const std::int64_t channel = group * args_.n;
    cpu::IntegerArgs a = args_;
    a.weights = packed + group * layout_.elements() * kGroupBytes;
    a.starts = reinterpret_cast<const std::int32_t*>(packed + starts_at()) + group * padded();
    if (is_padded(geometry_))
      a.padding = reinterpret_cast<const std::uint8_t*>(packed + padding_at());
    a.result.factors = reinterpret_cast<const float*>(packed + factors_at()) + group * padded();
    if (has_bias_) a.result.bias = args.input<float>(2) + channel;
    a.output = args.output<std::byte>(0) + channel * result_bytes();
    return a;
  }
  std::int64_t result_bytes() const noexcept { return args_.result.bytes ? 1 : sizeof(float); }
  std::int32_t offset() const noexcept {
    return args_.is_signed ? integers_.int8_offset : integers_.uint8_offset;
  }

  const cpu::IntegerTable& integers_;
  ConvGeometry geometry_;
  IntegerScales scales_;
  cpu::IntegerArgs args_;  // pointers are set on each run
  cpu::PanelLayout layout_;

 private:
  std::int64_t stored_depth() const noexcept { return geometry_.taps() * geometry_.group_cin(); }
  std::int64_t padded() const noexcept { return layout_.padded_columns(); }
  std::int64_t starts_at() const noexcept {
    return round_up(geometry_.groups * layout_.elements() * kGroupBytes, 64);
  }
  std::int64_t factors_at() const noexcept {
    return starts_at() + geometry_.groups * padded() * std::int64_t{sizeof(std::int32_t)};
  }
  std::int64_t padding_at() const noexcept {
    return factors_at() + geometry_.groups * padded() * std::int64_t{sizeof(float)};
  }
  /// Columns [column, column + columns) of a group, at most a vector, from their stored rows.
  template <typename Factor>
  void pack_columns(const std::int8_t* rows, std::int64_t column, std::int64_t columns,
                    std::byte* panels) const noexcept {
    const std::int64_t panel = column / layout_.wide(), width = layout_.width(panel);
    auto* to = reinterpret_cast<Factor*>(panels + layout_.offset(panel) * kGroupBytes) +
               (column - panel * layout_.wide()) * integers_.group;
    const std::int64_t stored_k = stored_depth() / args_.tap_count;  // args_.k, or less
    for (std::int64_t t = 0; t < args_.tap_count; ++t)
      for (std::int64_t k = 0; k < args_.k; k += integers_.group, to += width * integers_.group) {
        const std::int64_t count = std::min<std::int64_t>(integers_.group, stored_k - k);
        for (std::int64_t c = 0; c < columns; ++c)
          std::copy_n(rows + c * stored_depth() + t * stored_k + k, count,
                      to + c * integers_.group);
      }
  }

  /// Where the sums of these columns start, and what they are worth:
  ///   sum (x - zero) w = sum (x + offset) w - (zero + offset) sum w.
  void describe_columns(const std::int8_t* rows, std::int64_t group, std::int64_t column,
                        std::int64_t columns, std::byte* packed) const noexcept {
    auto* starts = reinterpret_cast<std::int32_t*>(packed + starts_at()) + group * padded();
    auto* factors = reinterpret_cast<float*>(packed + factors_at()) + group * padded();
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int8_t* row = rows + c * stored_depth();
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < stored_depth(); ++i) sum += row[i];
      starts[column + c] = static_cast<std::int32_t>(-(scales_.x.zero + offset()) * sum);
      factors[column + c] = integer_factor(scales_, group * args_.n + column + c);
    }
  }

  cpu::Partition partition_;
  std::int64_t flops_ = 0;
  bool has_bias_;
};

/// A window's row of a strip as whole groups, so that it is read in place: what is read beyond it
/// meets weights of zero.
cpu::RowGrid in_groups(cpu::RowGrid grid, std::int32_t group) noexcept {
  grid.k = round_up(grid.k, std::int64_t{group});
  return grid;
}

/// Few input channels: see StemStrips.
class IntegerStem final : public IntegerProduct {
 public:
  IntegerStem(const KernelSpec& spec, const ConvGeometry& g, const StemStrips& strips,
              const cpu::IntegerTable& integers)
      : IntegerProduct(spec, g, in_groups(strips.grid(spec.memory), integers.group), integers),
        strips_(strips),
        threads_(spec.threads) {}

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(strip_bytes() * threads_);
  }

  Status run(const RunArgs& args) noexcept override {
    const std::int64_t strips = strips_.count();
    args.pool.parallel_for(geometry_.batch * strips, [&](std::int64_t task, int thread) {
      const std::int64_t image = task / strips, row = task % strips * strips_.rows();
      const std::int64_t rows = std::min(strips_.rows(), geometry_.out[1] - row);
      auto* strip = static_cast<std::byte*>(args.workspace) + thread * strip_bytes();
      strips_.fill(args.input<std::byte>(0) + image * geometry_.in_pixels() * geometry_.cin, row,
                   rows, 1, scales_.x.zero, strip);
      cpu::IntegerArgs a = bound(args, 0);
      a.as_factors = make_factors(strip);
      a.input = reinterpret_cast<const std::uint8_t*>(strip);
      a.padding = nullptr;
      const std::int64_t pixel = (image * geometry_.out[1] + row) * geometry_.out[2];
      a.output = static_cast<std::byte*>(a.output) + pixel * geometry_.cout * result_bytes();
      integers_.conv(a, 0, rows * geometry_.out[2], 0, layout_.panels());
    });
    return {};
  }

  const char* algorithm() const noexcept override { return "integer stem"; }

 private:
  /// Brings a strip into the form of factors, each once though many windows read it; false: where
  /// they are wider, windows are converted as they are read.
  bool make_factors(std::byte* strip) const noexcept {
    if (integers_.bytes != 1) return false;
    if (offset() != 0)
      for (std::int64_t i = 0; i < strip_bytes(); ++i) strip[i] ^= std::byte{0x80};
    return true;
  }

  /// With what is read behind the last row.
  std::int64_t strip_bytes() const noexcept { return strips_.elements() + integers_.group; }

  StemStrips strips_;
  int threads_;
};

}  // namespace

KernelPtr make_integer_product(const KernelSpec& spec, const ConvGeometry& geometry,
                               const cpu::IntegerTable& integers) {
  const ConvGeometry widest = read_conv_geometry(spec.widest());
  if (stem_fits(widest))
    return make_kernel<IntegerStem>(spec.memory, spec, geometry, StemStrips(geometry, widest),
                                    integers);
  return make_kernel<IntegerProduct>(spec.memory, spec, geometry,
                                     window_grid(geometry, spec.memory), integers);
}

}  // namespace skiff
