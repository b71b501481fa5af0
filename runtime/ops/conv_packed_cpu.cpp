#include "runtime/ops/conv_packed.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/hash.h"
#include "runtime/cpu/activation.h"
#include "runtime/cpu/packing.h"
#include "runtime/cpu/thread_pool.h"

namespace skiff {
ConvPhase one_phase(const cpu::RowGrid& grid, std::pmr::memory_resource& memory) {
  const auto sources = make_array<std::int32_t>(memory, grid.tap_count);
  for (std::size_t t = 0; t < sources.size(); ++t) sources[t] = static_cast<std::int32_t>(t);
  ConvPhase phase;
  phase.source_taps = sources.data();
  static_cast<cpu::RowGrid&>(phase.args) = grid;
  return phase;
}

PackedConv::PackedConv(const KernelSpec& spec, const ConvGeometry& geometry,
                       std::span<ConvPhase> phases, bool outside, const char* algorithm)
    : table_(spec.table),
      geometry_(geometry),
      phases_(phases),
      weight_type_(spec.input(1).dtype),
      constant_(spec.input(1).constant),
      has_bias_(spec.node.has_input(2)),
      has_residual_(spec.node.has_input(3)),
      algorithm_(algorithm) {
  const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
  const std::int64_t n = geometry.group_cout();
  // The panels are packed once, for the largest shapes.
  const ConvGeometry widest = read_conv_geometry(spec.widest());
  const std::int64_t usual_rows =
      ceil_div(widest.batch * widest.out_pixels(), static_cast<std::int64_t>(phases_.size()));
  for (ConvPhase& phase : phases_) {
    cpu::ConvArgs& a = phase.args;
    a.n = n;
    a.epilogue = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta());
    const std::int64_t rows = geometry.batch * a.grid_d * a.grid_h * a.grid_w;
    phase.layout = cpu::choose_layout(table_, usual_rows, n, a.k * a.tap_count);
    a.vectors = static_cast<std::int32_t>(phase.layout.vectors);
    const std::int64_t row_elements =
        std::max<std::int64_t>(1, geometry.in_pixels() * geometry.group_cin() /
                                      std::max<std::int64_t>(1, geometry.out_pixels()));
    phase.partition = cpu::choose_partition(table_, phase.layout, rows, row_elements, spec.threads);
    phase.weights = group_elements_;
    a.narrow = cpu::narrow_columns(table_, n, a.k, a.tap_count);
    if (a.narrow > 0) algorithm_ = "narrow";
    group_elements_ += a.narrow > 0 ? a.tap_count * round_up(a.k, table_.lanes) * a.narrow
                                    : phase.layout.elements();
    group_tasks_ += phase.partition.tasks();
    zeros_ = outside ? std::max(zeros_, round_up(a.k, table_.lanes)) : 0;
    const std::int64_t flops = cpu::work_of({2, rows, phase.layout.depth, n, geometry.groups});
    flops_ = checked_add(flops_, flops).value_or(INT64_MAX);
  }
}

std::size_t PackedConv::workspace_bytes() const noexcept { return constant_ ? 0 : weight_bytes(); }

std::size_t PackedConv::packed_bytes(int input) const noexcept {
  return input == 1 && constant_ ? weight_bytes() : 0;
}

std::size_t PackedConv::pack_scratch_bytes(int input) const noexcept {
  const std::int64_t elements = table_.lanes * stored_depth();
  return input == 1 ? static_cast<std::size_t>(elements) * (sizeof(float) + sizeof(std::uint16_t))
                    : 0;
}

std::uint64_t PackedConv::pack_key(int input) const noexcept {
  if (input != 1) return 0;
  std::uint64_t hash = hashed(0xcbf29ce484222325u, table_.lanes);
  for (std::int64_t value : {geometry_.groups, group_elements_, zeros_, stored_depth()})
    hash = hashed(hash, value);
  for (const ConvPhase& phase : phases_) {
    hash = hashed(hashed(hashed(hash, phase.layout.vectors), phase.args.k), phase.args.narrow);
    for (int t = 0; t < phase.args.tap_count; ++t) hash = hashed(hash, phase.source_taps[t]);
  }
  return hash;
}

/// Columns [column, column + columns) of a group, at most a vector, from their stored rows.
void PackedConv::pack_rows(const float* rows, std::int64_t group, std::int64_t column,
                           std::int64_t columns, float* to) const noexcept {
  for (const ConvPhase& phase : phases_) {
    if (phase.args.narrow > 0) {
      pack_narrow(phase, rows, columns, to + group * group_elements_ + phase.weights);
      continue;
    }
    const cpu::PanelLayout& layout = phase.layout;
    const std::int64_t panel = column / layout.wide(), width = layout.width(panel);
    float* block = to + group * group_elements_ + phase.weights + layout.offset(panel) +
                   (column - panel * layout.wide());
    for (int t = 0; t < phase.args.tap_count; ++t)
      table_.pack_panel(rows + phase.source_taps[t] * phase.args.k, 1, stored_depth(), phase.args.k,
                        columns, layout.lanes, width, 1.0f, block + t * phase.args.k * width);
  }
}

/// All columns of a group: there is less than a vector of them.
void PackedConv::pack_narrow(const ConvPhase& phase, const float* rows, std::int64_t columns,
                             float* to) const noexcept {
  const std::int64_t k = phase.args.k, lanes = table_.lanes;
  for (int t = 0; t < phase.args.tap_count; ++t)
    for (std::int64_t at = 0; at < k; at += lanes)
      for (std::int64_t c = 0; c < phase.args.narrow; ++c, to += lanes) {
        const std::int64_t count = c < columns ? std::min(lanes, k - at) : 0;
        std::copy_n(rows + c * stored_depth() + phase.source_taps[t] * k + at, count, to);
        std::fill_n(to + count, lanes - count, 0.0f);
      }
}

void PackedConv::pack(int, ConstantReader& reader, std::span<std::byte> packed,
                      std::span<std::byte> scratch) {
  auto* to = reinterpret_cast<float*>(packed.data());
  auto* rows = reinterpret_cast<float*>(scratch.data());
  const std::int64_t lanes = table_.lanes, n = geometry_.group_cout();
  std::byte* stored =
      scratch.data() + sizeof(float) * static_cast<std::size_t>(lanes * stored_depth());
  for (std::int64_t group = 0; group < geometry_.groups; ++group)
    for (std::int64_t column = 0; column < n; column += lanes) {
      const std::int64_t columns = std::min(lanes, n - column);
      cpu::read_floats(reader, weight_type_, columns * stored_depth(), rows, stored);
      pack_rows(rows, group, column, columns, to);
    }
  std::memset(to + group_elements_ * geometry_.groups, 0,
              sizeof(float) * static_cast<std::size_t>(zeros_));
}

const float* PackedConv::weights(const RunArgs& args) const noexcept {
  if (constant_) return args.input<float>(1);
  auto* to = static_cast<float*>(args.workspace);
  const std::int64_t n = geometry_.group_cout(), blocks = ceil_div(n, table_.lanes);
  args.pool.parallel_for(geometry_.groups * blocks, [&](std::int64_t task) {
    const std::int64_t group = task / blocks, column = task % blocks * table_.lanes;
    pack_rows(args.input<float>(1) + (group * n + column) * stored_depth(), group, column,
              std::min<std::int64_t>(table_.lanes, n - column), to);
  });
  std::memset(to + group_elements_ * geometry_.groups, 0,
              sizeof(float) * static_cast<std::size_t>(zeros_));
  return to;
}

Status PackedConv::run(const RunArgs& args) noexcept {
  const float* packed = weights(args);
  const float *bias_of = bias(args), *residual_of = residual(args);
  args.pool.parallel_for(geometry_.groups * group_tasks_, [&](std::int64_t task) {
    const std::int64_t group = task / group_tasks_;
    std::int64_t rest = task % group_tasks_;
    const ConvPhase* phase = phases_.data();
    for (; rest >= phase->partition.tasks(); ++phase) rest -= phase->partition.tasks();
    cpu::ConvArgs a = phase->args;
    const std::int64_t channel = group * geometry_.group_cout();
    a.input = args.input<float>(0) + group * geometry_.group_cin();
    a.weights = packed + group * group_elements_ + phase->weights;
    if (bias_of != nullptr) a.bias = bias_of + channel;
    if (residual_of != nullptr) a.residual = residual_of + phase->output + channel;
    a.output = args.output<float>(0) + phase->output + channel;
    a.zeros = zeros(packed);
    cpu::run_task(table_, phase->partition, a, rest);
  });
  return {};
}

void PackedConv::run_rows(const RowWindow& input, std::int64_t row, std::int64_t rows,
                          const RowOperands& operands) const noexcept {
  cpu::ConvArgs a = phases_[0].args;
  a.input = static_cast<const float*>(input.base) + (row - input.first) * a.in_y;
  a.weights = operands.weights;
  a.bias = operands.bias;
  a.residual = operands.residual;
  a.output = operands.output;
  table_.conv(a, 0, rows * geometry_.out[2], 0, phases_[0].layout.panels());
}

}  // namespace skiff
