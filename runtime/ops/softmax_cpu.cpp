#include <algorithm>
#include <cmath>

#include "runtime/core/checked.h"
#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/strips.h"

namespace skiff {
namespace {

using fb::SoftmaxFunction;

constexpr int index_of(cpu::RowBinary f) { return static_cast<int>(f); }
constexpr int index_of(cpu::RowUnary f) { return static_cast<int>(f); }
constexpr int index_of(cpu::RowFold f) { return static_cast<int>(f); }

struct Plan {
  AxisSplit split;
  SoftmaxFunction function;
  float scale;
};

/// Columns that are worked on together when the axis is not the last one.
constexpr std::int64_t kColumns = 256;

/// Rows up to this long are worked on many at a time.
constexpr std::int64_t kShortRow = 12;

/// One lane of any float type, numbers in double.
template <typename T>
void lane(const Plan& p, const T* x, T* y) {
  const std::int64_t n = p.split.extent, step = p.split.inner;
  const auto value = [&](std::int64_t i) { return static_cast<double>(load(x[i * step])); };
  const auto put = [&](std::int64_t i, double v) { y[i * step] = T(static_cast<Compute<T>>(v)); };
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i)
    if (value(i) > value(best) || (std::isnan(value(i)) && !std::isnan(value(best)))) best = i;
  if (p.function == SoftmaxFunction::hardmax) {
    for (std::int64_t i = 0; i < n; ++i) put(i, i == best ? 1 : 0);
    return;
  }
  // A negative scale makes the lowest number the largest.
  double shift = value(best);
  if (p.scale < 0)
    for (std::int64_t i = 0; i < n; ++i) shift = std::min(shift, value(i));
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += std::exp(p.scale * (value(i) - shift));
  for (std::int64_t i = 0; i < n; ++i) {
    const double v = p.scale * (value(i) - shift);
    put(i, p.function == SoftmaxFunction::softmax ? std::exp(v) / sum : v - std::log(sum));
  }
}

template <typename T>
void run_lanes(const Plan& p, const RunArgs& args) {
  const AxisSplit& s = p.split;
  parallel_chunks(args, s.outer * s.inner, grain_for(s.extent * 16),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t at = i / s.inner * s.extent * s.inner + i % s.inner;
                      lane(p, args.input<T>(0) + at, args.output<T>(0) + at);
                    }
                  });
}

/// Rows of floats: the axis is the last.
void run_rows(const Plan& p, const cpu::RowTable& table, const RunArgs& args) {
  const std::int64_t n = p.split.extent;
  const auto fold =
      table.fold[index_of(p.scale < 0 ? cpu::RowFold::minimum : cpu::RowFold::maximum)];
  const auto multiply = table.binary[index_of(cpu::RowBinary::mul)];
  parallel_chunks(args, p.split.outer, grain_for(n * 3), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* x = args.input<float>(0) + row * n;
      float* y = args.output<float>(0) + row * n;
      const auto shift = static_cast<float>(fold(x, n));
      const float factor = 1 / table.exp_sum(x, y, n, p.scale, shift);
      multiply(y, 1, &factor, 0, y, n);
    }
  });
}

void run_log_rows(const Plan& p, const cpu::RowTable& table, const RunArgs& args) {
  const std::int64_t n = p.split.extent;
  const auto fold =
      table.fold[index_of(p.scale < 0 ? cpu::RowFold::minimum : cpu::RowFold::maximum)];
  parallel_chunks(args, p.split.outer, grain_for(n * 4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* x = args.input<float>(0) + row * n;
      float* y = args.output<float>(0) + row * n;
      const auto shift = static_cast<float>(fold(x, n));
      double sum = 0;
      float block[kColumns];
      for (std::int64_t i = 0; i < n; i += kColumns)
        sum += static_cast<double>(
            table.exp_sum(x + i, block, std::min(kColumns, n - i), p.scale, shift));
      const float offset = -static_cast<float>(std::log(sum));
      table.normalize(x, y, n, shift, p.scale, nullptr, nullptr);
      table.binary[index_of(cpu::RowBinary::add)](y, 1, &offset, 0, y, n);
    }
  });
}

/// Softmax down `columns` neighbouring columns of [extent, inner]; every step is a row operation.
void run_strip(const Plan& p, const cpu::RowTable& table, const float* x, float* y,
               std::int64_t columns) {
  const std::int64_t n = p.split.extent, step = p.split.inner;
  const bool low = p.scale < 0;
  const auto join = table.binary[index_of(low ? cpu::RowBinary::minimum : cpu::RowBinary::maximum)];
  const auto binary = [&](cpu::RowBinary f) { return table.binary[index_of(f)]; };
  float shift[kColumns], sum[kColumns];
  std::copy_n(x, columns, shift);
  for (std::int64_t i = 1; i < n; ++i) join(shift, 1, x + i * step, 1, shift, columns);
  std::fill_n(sum, columns, 0.0f);
  float e[kColumns];
  const bool log = p.function == SoftmaxFunction::log_softmax;
  for (std::int64_t i = 0; i < n; ++i) {
    float* row = y + i * step;
    binary(cpu::RowBinary::sub)(x + i * step, 1, shift, 1, row, columns);
    if (p.scale != 1) binary(cpu::RowBinary::mul)(row, 1, &p.scale, 0, row, columns);
    float* to = log ? e : row;
    table.unary[index_of(cpu::RowUnary::exp)](row, to, columns);
    binary(cpu::RowBinary::add)(sum, 1, to, 1, sum, columns);
  }
  if (log) table.unary[index_of(cpu::RowUnary::log)](sum, sum, columns);
  const auto finish = binary(log ? cpu::RowBinary::sub : cpu::RowBinary::div);
  for (std::int64_t i = 0; i < n; ++i) finish(y + i * step, 1, sum, 1, y + i * step, columns);
}

/// Short rows: blocks of them turned round, so that vectors run across the rows.
void run_short_rows(const Plan& p, const cpu::RowTable& table, const RunArgs& args) {
  const std::int64_t n = p.split.extent;
  constexpr std::int64_t kRows = 64;
  parallel_chunks(args, ceil_div(p.split.outer, kRows), grain_for(kRows * n * 6),
                  [&](std::int64_t begin, std::int64_t end) {
                    float turned[kShortRow * kRows];
                    Plan block = p;
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t row = i * kRows,
                                         rows = std::min(kRows, p.split.outer - row);
                      const float* x = args.input<float>(0) + row * n;
                      float* y = args.output<float>(0) + row * n;
                      for (std::int64_t r = 0; r < rows; ++r)
                        for (std::int64_t c = 0; c < n; ++c) turned[c * rows + r] = x[r * n + c];
                      block.split.inner = rows;
                      run_strip(block, table, turned, turned, rows);
                      for (std::int64_t r = 0; r < rows; ++r)
                        for (std::int64_t c = 0; c < n; ++c) y[r * n + c] = turned[c * rows + r];
                    }
                  });
}

void run_strips(const Plan& p, const cpu::RowTable& table, const RunArgs& args) {
  for_strips(args, p.split, 4, [&](std::int64_t at, std::int64_t columns) {
    run_strip(p, table, args.input<float>(0) + at, args.output<float>(0) + at, columns);
  });
}

class SoftmaxKernel final : public Kernel {
 public:
  SoftmaxKernel(const KernelSpec& spec, const fb::SoftmaxAttrs& attrs)
      : plan_{split_at(spec.input(0).shape, static_cast<int>(attrs.axis())), attrs.function(),
              attrs.scale()},
        table_(&spec.table.rows),
        float32_(spec.input(0).dtype == DType::float32 &&
                 attrs.function() != SoftmaxFunction::hardmax),
        lanes_(dispatch(spec.node, spec.input(0).dtype, FloatTypes{},
                        [](auto type) { return &run_lanes<typename decltype(type)::type>; })) {}

  /// A row or lane is read by the piece that writes it alone, but read twice: hot paths allow it.
  bool can_overwrite(int, int) const noexcept override {
    return float32_ && plan_.function == SoftmaxFunction::softmax;
  }

  Status run(const RunArgs& args) noexcept override {
    if (plan_.split.outer * plan_.split.extent * plan_.split.inner == 0) return {};
    if (!float32_) {
      lanes_(plan_, args);
    } else if (plan_.split.inner > 1) {
      run_strips(plan_, *table_, args);
    } else if (plan_.split.extent <= kShortRow) {
      run_short_rows(plan_, *table_, args);
    } else if (plan_.function == SoftmaxFunction::log_softmax) {
      run_log_rows(plan_, *table_, args);
    } else {
      run_rows(plan_, *table_, args);
    }
    return {};
  }

 private:
  Plan plan_;
  const cpu::RowTable* table_;
  bool float32_;
  void (*lanes_)(const Plan&, const RunArgs&);
};

}  // namespace

KernelPtr make_softmax_cpu(const KernelSpec& spec) {
  return make_kernel<SoftmaxKernel>(spec.memory, spec, spec.node.attrs<fb::SoftmaxAttrs>());
}

}  // namespace skiff
