#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/reduce_loops.h"
#include "runtime/ops/unary_math.h"

namespace skiff {
namespace {

using enum fb::ReduceFunction;
using fb::ReduceFunction;

/// The result of a fold as the function wants it.
double finish(ReduceFunction function, double total, std::int64_t count) {
  if (function == mean) return total / static_cast<double>(count);
  if (function == l2) return std::sqrt(total);
  if (function == log_sum) return std::log(total);
  return total;
}

/// One output of floats of any width, in double, elements in order.
template <typename T>
T reduce_float(const ReduceLoops& loops, ReduceFunction function, const T* x) {
  const bool largest = function == maximum || function == log_sum_exp;
  double total = function == product ? 1 : 0;
  if (largest) total = -std::numeric_limits<double>::infinity();
  if (function == minimum) total = std::numeric_limits<double>::infinity();
  const auto each = [&](auto f) {
    for_each_run(loops.reduced, [&](std::int64_t at, std::int64_t count, std::int64_t step) {
      for (std::int64_t i = 0; i < count; ++i) f(static_cast<double>(load(x[at + i * step])));
    });
  };
  switch (function) {
    case product:
      each([&](double v) { total *= v; });
      break;
    case l1:
      each([&](double v) { total += std::abs(v); });
      break;
    case l2:
    case sum_square:
      each([&](double v) { total += v * v; });
      break;
    case minimum:
      each([&](double v) { total = v < total || v != v ? v : total; });
      break;
    case maximum:
    case log_sum_exp:
      each([&](double v) { total = v > total || v != v ? v : total; });
      break;
    default:
      each([&](double v) { total += v; });
      break;
  }
  if (function == log_sum_exp && std::isfinite(total)) {
    const double shift = total;
    total = 0;
    each([&](double v) { total += std::exp(v - shift); });
    total = std::log(total) + shift;
  }
  return T(static_cast<Compute<T>>(finish(function, total, loops.count())));
}

/// One output of integers: wraps in 64 bits and then to T; means, roots and logarithms truncate.
template <typename T>
T reduce_integer(const ReduceLoops& loops, ReduceFunction function, const T* x) {
  using W = std::uint64_t;
  if (function == log_sum || function == log_sum_exp || function == l2) {
    double total = 0;
    for_each_run(loops.reduced, [&](std::int64_t at, std::int64_t count, std::int64_t step) {
      for (std::int64_t i = 0; i < count; ++i) {
        const auto v = static_cast<double>(x[at + i * step]);
        total += function == l2 ? v * v : function == log_sum_exp ? std::exp(v) : v;
      }
    });
    return saturate_to<T>(function == l2 ? std::sqrt(total) : std::log(total));
  }
  W total = function == product ? 1 : 0;
  T best = function == maximum ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
  for_each_run(loops.reduced, [&](std::int64_t at, std::int64_t count, std::int64_t step) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T v = x[at + i * step];
      const auto wide = static_cast<W>(v);
      if (function == product)
        total *= wide;
      else if (function == maximum)
        best = std::max(best, v);
      else if (function == minimum)
        best = std::min(best, v);
      else if (function == l1)
        total += v < 0 ? W{0} - wide : wide;
      else if (function == sum_square)
        total += wide * wide;
      else
        total += wide;
    }
  });
  if (function == maximum || function == minimum) return best;
  if (function == mean && loops.count() > 0) {
    if constexpr (std::is_signed_v<T>)
      return static_cast<T>(static_cast<std::int64_t>(total) / loops.count());
    else
      return static_cast<T>(total / static_cast<W>(loops.count()));
  }
  return static_cast<T>(total);
}

struct Plan {
  ReduceLoops loops;
  ReduceFunction function;
};

template <typename T>
void run_each(const Plan& p, const RunArgs& args) {
  const ReduceLoops& loops = p.loops;
  parallel_chunks(args, loops.outputs(), grain_for(loops.count() * 2),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const T* x = args.input<T>(0) + start_of(loops.kept, i);
                      if constexpr (std::is_integral_v<T>)
                        args.output<T>(0)[i] = reduce_integer(loops, p.function, x);
                      else
                        args.output<T>(0)[i] = reduce_float(loops, p.function, x);
                    }
                  });
}

/// any, all, and maximum and minimum of bools, which are bytes that are 0 or not.
void run_bool(const Plan& p, const RunArgs& args) {
  const bool want = p.function == any || p.function == maximum;
  parallel_chunks(args, p.loops.outputs(), grain_for(p.loops.count()),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const auto* x = args.input<std::uint8_t>(0) + start_of(p.loops.kept, i);
                      bool found = false;
                      for_each_run(p.loops.reduced,
                                   [&](std::int64_t at, std::int64_t count, std::int64_t step) {
                                     for (std::int64_t j = 0; j < count; ++j)
                                       found |= (x[at + j * step] != 0) == want;
                                   });
                      args.output<bool>(0)[i] = found == want;
                    }
                  });
}

cpu::RowFold fold_of(ReduceFunction function) {
  switch (function) {
    case maximum:
      return cpu::RowFold::maximum;
    case minimum:
      return cpu::RowFold::minimum;
    case product:
      return cpu::RowFold::product;
    case l1:
      return cpu::RowFold::sum_abs;
    case l2:
    case sum_square:
      return cpu::RowFold::sum_square;
    case log_sum_exp:
      return cpu::RowFold::count;
    default:
      return cpu::RowFold::sum;
  }
}

double start_value(cpu::RowFold fold) {
  if (fold == cpu::RowFold::product) return 1;
  if (fold == cpu::RowFold::maximum) return -std::numeric_limits<double>::infinity();
  return fold == cpu::RowFold::minimum ? std::numeric_limits<double>::infinity() : 0;
}

double join(cpu::RowFold fold, double a, double b) {
  if (fold == cpu::RowFold::product) return a * b;
  if (fold == cpu::RowFold::maximum) return b > a || b != b ? b : a;
  if (fold == cpu::RowFold::minimum) return b < a || b != b ? b : a;
  return a + b;
}

constexpr std::int64_t kColumns = 256;  ///< columns of a strip
constexpr std::int64_t kRows = 64;      ///< rows that floats add up before doubles take over
constexpr std::int64_t kSplitRows = 96;

/// float32 by whole rows or columns of the instruction set's table.
///
/// Columns: a strip of results folds its reduced rows in float, kRows at a time, and joins those in
/// double. Few strips with many rows are cut along the rows too; the pieces' sums, in the
/// workspace, are joined in order. The cuts depend on the shape alone.
class FloatReduce final : public Kernel {
 public:
  FloatReduce(const KernelSpec& spec, ReduceFunction function, const ReduceLoops& loops)
      : loops_(loops), function_(function), fold_(fold_of(function)), rows_(spec.table.rows) {
    strips_ = (loops_.kept.inner() + kColumns - 1) / kColumns;
    const std::int64_t reduced = loops_.count();
    if (!loops_.rows() && loops_.kept.rows() * strips_ < 8)
      pieces_ = std::clamp<std::int64_t>(reduced / kSplitRows, 1, 16);
    piece_rows_ = std::max<std::int64_t>(1, (reduced + pieces_ - 1) / pieces_);
  }

  std::size_t workspace_bytes() const noexcept override {
    return pieces_ > 1 ? static_cast<std::size_t>(pieces_ * loops_.outputs()) * sizeof(double) : 0;
  }

  Status run(const RunArgs& args) noexcept override {
    if (loops_.outputs() == 0) return {};
    if (loops_.rows()) {
      run_rows(args);
    } else if (pieces_ > 1) {
      run_pieces(args);
    } else {
      parallel_chunks(args, loops_.kept.rows() * strips_,
                      grain_for(loops_.count() * std::min(kColumns, loops_.kept.inner())),
                      [&](std::int64_t begin, std::int64_t end) {
                        double total[kColumns];
                        for (std::int64_t i = begin; i < end; ++i) {
                          const Strip strip = strip_at(i);
                          fold_strip(args.input<float>(0), strip, 0, loops_.count(), total);
                          store(args, strip, total);
                        }
                      });
    }
    return {};
  }

  const char* algorithm() const noexcept override { return loops_.rows() ? "rows" : "columns"; }

 private:
  struct Strip {
    std::int64_t from;  ///< where its first column starts in the operand
    std::int64_t to;    ///< index of its first result
    std::int64_t columns;
  };

  Strip strip_at(std::int64_t index) const {
    const std::int64_t row = index / strips_, column = index % strips_ * kColumns;
    return {Odometer<1>(loops_.kept, row).offset(0) + column, row * loops_.kept.inner() + column,
            std::min(kColumns, loops_.kept.inner() - column)};
  }

  void run_rows(const RunArgs& args) const {
    const std::int64_t count = loops_.count();
    const auto fold = rows_.fold[static_cast<int>(fold_)];
    parallel_chunks(
        args, loops_.outputs(), grain_for(count), [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            const double total = fold(args.input<float>(0) + start_of(loops_.kept, i), count);
            args.output<float>(0)[i] = static_cast<float>(finish(function_, total, count));
          }
        });
  }

  /// Folds rows [begin, end) of the reduced points into total[0, strip.columns).
  void fold_strip(const float* x, const Strip& strip, std::int64_t begin, std::int64_t end,
                  double* total) const {
    const auto fold = rows_.fold_columns[static_cast<int>(fold_)];
    const std::int64_t inner = loops_.reduced.inner(), step = loops_.reduced.inner_stride(0);
    const double start = start_value(fold_);
    std::fill_n(total, strip.columns, start);
    float block[kColumns];
    for (std::int64_t row = begin; row < end;) {
      std::fill_n(block, strip.columns, static_cast<float>(start));
      const std::int64_t stop = std::min(end, row + kRows);
      while (row < stop) {
        const std::int64_t n = std::min(stop - row, inner - row % inner);
        const std::int64_t at = Odometer<1>(loops_.reduced, row / inner).offset(0);
        fold(x + strip.from + at + row % inner * step, step, n, strip.columns, block);
        row += n;
      }
      for (std::int64_t c = 0; c < strip.columns; ++c)
        total[c] = join(fold_, total[c], static_cast<double>(block[c]));
    }
  }

  void store(const RunArgs& args, const Strip& strip, const double* total) const {
    float* y = args.output<float>(0) + strip.to;
    for (std::int64_t c = 0; c < strip.columns; ++c)
      y[c] = static_cast<float>(finish(function_, total[c], loops_.count()));
  }

  void run_pieces(const RunArgs& args) const {
    auto* partial = static_cast<double*>(args.workspace);
    const std::int64_t strips = loops_.kept.rows() * strips_, outputs = loops_.outputs();
    args.pool.parallel_for(strips * pieces_, [&](std::int64_t task) {
      const Strip strip = strip_at(task % strips);
      const std::int64_t begin = std::min(loops_.count(), task / strips * piece_rows_);
      const std::int64_t end = std::min(loops_.count(), begin + piece_rows_);
      fold_strip(args.input<float>(0), strip, begin, end,
                 partial + task / strips * outputs + strip.to);
    });
    for (std::int64_t i = 0; i < outputs; ++i) {
      double total = partial[i];
      for (std::int64_t piece = 1; piece < pieces_; ++piece)
        total = join(fold_, total, partial[piece * outputs + i]);
      args.output<float>(0)[i] = static_cast<float>(finish(function_, total, loops_.count()));
    }
  }

  ReduceLoops loops_;
  ReduceFunction function_;
  cpu::RowFold fold_;
  const cpu::RowTable& rows_;
  std::int64_t strips_ = 1, pieces_ = 1, piece_rows_ = 1;
};

class GenericReduce final : public Kernel {
 public:
  GenericReduce(const Plan& plan, void (*how)(const Plan&, const RunArgs&))
      : plan_(plan), run_(how) {}
  Status run(const RunArgs& args) noexcept override {
    if (plan_.loops.outputs() > 0) run_(plan_, args);
    return {};
  }

 private:
  Plan plan_;
  void (*run_)(const Plan&, const RunArgs&);
};

}  // namespace

KernelPtr make_reduce_cpu(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::ReduceAttrs>();
  const DType dtype = spec.input(0).dtype;
  const Plan plan{make_reduce_loops(spec.input(0).shape, attrs.axes()), attrs.function()};
  if (dtype == DType::float32 && fold_of(plan.function) != cpu::RowFold::count &&
      (plan.loops.rows() || plan.loops.columns()))
    return make_kernel<FloatReduce>(spec.memory, spec, plan.function, plan.loops);
  if (dtype == DType::boolean) return make_kernel<GenericReduce>(spec.memory, plan, run_bool);
  return make_kernel<GenericReduce>(spec.memory, plan,
                                    dispatch(spec.node, dtype, NumericTypes{}, [](auto type) {
                                      return &run_each<typename decltype(type)::type>;
                                    }));
}

}  // namespace skiff
