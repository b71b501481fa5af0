#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/resize_axis.h"
#include "runtime/ops/strided.h"
#include "runtime/ops/unary_math.h"

namespace skiff {
namespace {

template <typename T>
T* allocate(std::pmr::memory_resource& memory, std::int64_t count) {
  return static_cast<T*>(memory.allocate(static_cast<std::size_t>(count) * sizeof(T), alignof(T)));
}

constexpr std::int64_t kOutside = -1;

/// nearest: every axis has a table of the elements to go from the operand's start, and rows of the
/// axes behind the last resized one are moved whole.
class NearestResize final : public Kernel {
 public:
  NearestResize(const KernelSpec& spec, const fb::ResizeAttrs& attrs) {
    const Shape &in = spec.input(0).shape, &out = spec.output(0).shape;
    const Strides strides = row_major(in);
    size_ = static_cast<std::int64_t>(size_of(spec.input(0).dtype));
    axes_ = in.rank();
    while (axes_ > 0 && resize_axis(attrs, in, out, axes_ - 1).identity()) --axes_;
    rows_ = out.elements(0, axes_);
    row_bytes_ = out.elements(axes_, out.rank()) * size_;
    for (int a = 0; a < axes_; ++a) {
      const ResizeAxis axis = resize_axis(attrs, in, out, a);
      extents_[at(a)] = axis.out;
      offsets_[at(a)] = allocate<std::int64_t>(spec.memory, axis.out);
      for (std::int64_t o = 0; o < axis.out; ++o) {
        const bool plain = axis.identity();
        offsets_[at(a)][o] = !plain && axis.outside(axis.position(o))
                                 ? kOutside
                                 : (plain ? o : axis.nearest_index(o)) * strides[at(a)] * size_;
      }
    }
    dispatch(spec.node, spec.input(0).dtype, NumericTypes{}, [&](auto type) {
      using T = typename decltype(type)::type;
      T value;
      if constexpr (std::is_integral_v<T>)
        value = saturate_to<T>(attrs.extrapolation());
      else
        value = T(static_cast<Compute<T>>(attrs.extrapolation()));
      std::memcpy(extrapolation_, &value, sizeof(T));
    });
  }

  Status run(const RunArgs& args) noexcept override {
    if (row_bytes_ == 0) return {};
    parallel_chunks(args, rows_, grain_for(row_bytes_ / 8 + 8),
                    [&](std::int64_t begin, std::int64_t end) {
                      Strides index{};
                      std::int64_t rest = begin;
                      for (int a = axes_ - 1; a >= 0; --a) {
                        index[at(a)] = rest % extents_[at(a)];
                        rest /= extents_[at(a)];
                      }
                      for (std::int64_t row = begin; row < end; ++row) {
                        move_row(args, index, row);
                        for (int a = axes_ - 1; a >= 0 && ++index[at(a)] == extents_[at(a)]; --a)
                          index[at(a)] = 0;
                      }
                    });
    return {};
  }

  const char* algorithm() const noexcept override { return "nearest"; }

 private:
  void move_row(const RunArgs& args, const Strides& index, std::int64_t row) const {
    std::byte* to = args.output<std::byte>(0) + row * row_bytes_;
    std::int64_t from = 0;
    for (int a = 0; a < axes_; ++a) {
      const std::int64_t step = offsets_[at(a)][index[at(a)]];
      if (step == kOutside) {
        for (std::int64_t i = 0; i < row_bytes_; i += size_)
          std::memcpy(to + i, extrapolation_, static_cast<std::size_t>(size_));
        return;
      }
      from += step;
    }
    std::memcpy(to, args.input<std::byte>(0) + from, static_cast<std::size_t>(row_bytes_));
  }

  std::int64_t size_ = 1, rows_ = 1, row_bytes_ = 0;
  int axes_ = 0;
  Strides extents_{};
  std::array<std::int64_t*, static_cast<std::size_t>(kMaxRank)> offsets_{};
  std::byte extrapolation_[8] = {};
};

/// Weights of one resized axis: output o is the sum of weights[o * taps + t] times the input row
/// indices[o * taps + t]; the extrapolation value where there is none.
template <typename Real>
struct Pass {
  std::int64_t outer = 1, in = 1, out = 1, inner = 1;
  std::int64_t taps = 1;
  bool outside = false;  ///< some output is the extrapolation value
  std::int64_t* indices = nullptr;
  Real* weights = nullptr;

  std::int64_t elements() const { return outer * out * inner; }
};

template <typename Real>
Pass<Real> make_pass(const ResizeAxis& axis, std::pmr::memory_resource& memory) {
  Pass<Real> pass;
  pass.in = axis.in;
  pass.out = axis.out;
  pass.taps = axis.taps();
  pass.indices = allocate<std::int64_t>(memory, axis.out * pass.taps);
  pass.weights = allocate<Real>(memory, axis.out * pass.taps);
  double* weights = allocate<double>(memory, pass.taps);
  for (std::int64_t o = 0; o < axis.out; ++o) {
    axis.fill(o, pass.indices + o * pass.taps, weights);
    for (std::int64_t t = 0; t < pass.taps; ++t)
      pass.weights[o * pass.taps + t] = static_cast<Real>(weights[t]);
    if (!axis.outside(axis.position(o))) continue;
    pass.indices[o * pass.taps] = kOutside;
    pass.outside = true;
  }
  return pass;
}

/// to[0, inner) = output index o of a [in, inner] slab.
template <typename Real>
void run_row(const Pass<Real>& p, const cpu::RowTable& table, Real extrapolation, std::int64_t o,
             const Real* slab, Real* to) {
  const std::int64_t* indices = p.indices + o * p.taps;
  const Real* weights = p.weights + o * p.taps;
  if (indices[0] == kOutside) {
    std::fill_n(to, p.inner, extrapolation);
    return;
  }
  if constexpr (std::is_same_v<Real, float>) {
    if (p.inner >= 4) {
      constexpr std::int64_t kTaps = 16;
      const float* rows[kTaps];
      for (std::int64_t t = 0; t < p.taps; t += kTaps) {
        const std::int64_t n = std::min(kTaps, p.taps - t);
        for (std::int64_t i = 0; i < n; ++i) rows[i] = slab + indices[t + i] * p.inner;
        table.weighted_sum(rows, weights + t, n, to, p.inner, t > 0);
      }
      return;
    }
  }
  for (std::int64_t i = 0; i < p.inner; ++i) {
    Real sum = 0;
    for (std::int64_t t = 0; t < p.taps; ++t) sum += weights[t] * slab[indices[t] * p.inner + i];
    to[i] = sum;
  }
}

/// to[0, out * inner) = all outputs of a [in, inner] slab.
template <typename Real>
void run_slab(const Pass<Real>& p, const cpu::RowTable& table, Real extrapolation, const Real* slab,
              Real* to) {
  if constexpr (std::is_same_v<Real, float>) {
    if (p.inner >= 4 && !p.outside)
      return table.weighted_rows(slab, p.indices, p.weights, p.taps, p.out, p.inner, to);
  }
  for (std::int64_t o = 0; o < p.out; ++o, to += p.inner)
    run_row(p, table, extrapolation, o, slab, to);
}

/// linear and cubic: one axis after the other, first to last. When exactly two are resized and
/// elements are floats, each row of the first is used up at once and never stored.
template <typename Real>
class WeightedResize final : public Kernel {
 public:
  WeightedResize(const KernelSpec& spec, const fb::ResizeAttrs& attrs)
      : table_(spec.table.rows),
        extrapolation_(static_cast<Real>(attrs.extrapolation())),
        dtype_(spec.input(0).dtype),
        threads_(spec.threads),
        in_elements_(spec.input(0).elements()),
        out_elements_(spec.output(0).elements()) {
    Shape now = spec.input(0).shape;
    const Shape& out = spec.output(0).shape;
    for (int a = 0; a < now.rank() && out_elements_ > 0; ++a) {
      const ResizeAxis axis = resize_axis(attrs, spec.input(0).shape, out, a);
      if (axis.identity()) continue;
      Pass<Real> pass = make_pass<Real>(axis, spec.memory);
      const AxisSplit split = split_at(now, a);
      pass.outer = split.outer;
      pass.inner = split.inner;
      passes_[at(count_++)] = pass;
      now[a] = axis.out;
      largest_ = std::max(largest_, now.elements());
    }
    largest_ = std::max(largest_, in_elements_);
    dispatch(spec.node, dtype_, NumericTypes{}, [&](auto type) {
      using T = typename decltype(type)::type;
      widen_ = [](const void* from, Real* to, std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
          to[i] = static_cast<Real>(load(static_cast<const T*>(from)[i]));
      };
      narrow_ = [](const Real* from, void* to, std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          if constexpr (std::is_integral_v<T>)
            static_cast<T*>(to)[i] = saturate_to<T>(std::nearbyint(from[i]));
          else
            static_cast<T*>(to)[i] = T(static_cast<Compute<T>>(from[i]));
        }
      };
    });
  }

  std::size_t workspace_bytes() const noexcept override {
    if (out_elements_ == 0 || count_ == 0) return 0;
    const std::int64_t elements = fused()    ? threads_ * passes_[0].inner
                                  : stored() ? (count_ > 1 ? 2 * largest_ : 0)
                                             : 2 * largest_;
    return static_cast<std::size_t>(elements) * sizeof(Real);
  }

  Status run(const RunArgs& args) noexcept override {
    if (out_elements_ == 0) return {};
    if (count_ == 0) {
      std::memcpy(args.outputs[0], args.inputs[0],
                  static_cast<std::size_t>(out_elements_) * size_of(dtype_));
    } else if (fused()) {
      run_fused(args);
    } else {
      run_passes(args);
    }
    return {};
  }

  const char* algorithm() const noexcept override { return fused() ? "fused" : "passes"; }

 private:
  /// Elements are stored as they are computed: no conversion at either end.
  bool stored() const noexcept { return dtype_ == dtype_of<Real>(); }
  bool fused() const noexcept { return stored() && count_ == 2; }

  void run_fused(const RunArgs& args) const {
    const Pass<Real>&p = passes_[0], &q = passes_[1];
    const std::int64_t middle = p.inner / (q.in * q.inner), grain = grain_for(p.inner * p.taps);
    const std::int64_t rows = p.outer * p.out;
    args.pool.parallel_for((rows + grain - 1) / grain, [&](std::int64_t piece, int thread) {
      Real* line = static_cast<Real*>(args.workspace) + thread * p.inner;
      const std::int64_t end = std::min(rows, (piece + 1) * grain);
      for (std::int64_t row = piece * grain; row < end; ++row) {
        run_row(p, table_, extrapolation_, row % p.out,
                args.input<Real>(0) + row / p.out * p.in * p.inner, line);
        Real* to = args.output<Real>(0) + row * middle * q.out * q.inner;
        for (std::int64_t m = 0; m < middle; ++m, to += q.out * q.inner)
          run_slab(q, table_, extrapolation_, line + m * q.in * q.inner, to);
      }
    });
  }

  void run_passes(const RunArgs& args) const {
    Real* buffers[2] = {static_cast<Real*>(args.workspace),
                        static_cast<Real*>(args.workspace) + largest_};
    const Real* from = args.input<Real>(0);
    int next = 0;
    if (!stored()) {
      parallel_chunks(args, in_elements_, grain_for(2), [&](std::int64_t begin, std::int64_t end) {
        widen_(args.inputs[0], buffers[0], begin, end);
      });
      from = buffers[0];
      next = 1;
    }
    for (int i = 0; i < count_; ++i) {
      const Pass<Real>& p = passes_[at(i)];
      Real* to = stored() && i == count_ - 1 ? args.output<Real>(0) : buffers[next];
      parallel_chunks(args, p.outer * p.out, grain_for(p.inner * p.taps),
                      [&](std::int64_t begin, std::int64_t end) {
                        for (std::int64_t row = begin; row < end; ++row)
                          run_row(p, table_, extrapolation_, row % p.out,
                                  from + row / p.out * p.in * p.inner, to + row * p.inner);
                      });
      from = to;
      next = 1 - next;
    }
    if (stored()) return;
    parallel_chunks(args, out_elements_, grain_for(4), [&](std::int64_t begin, std::int64_t end) {
      narrow_(from, args.outputs[0], begin, end);
    });
  }

  const cpu::RowTable& table_;
  Real extrapolation_;
  DType dtype_;
  std::int64_t threads_, in_elements_, out_elements_, largest_ = 0;
  int count_ = 0;
  std::array<Pass<Real>, static_cast<std::size_t>(kMaxRank)> passes_{};
  void (*widen_)(const void*, Real*, std::int64_t, std::int64_t) = nullptr;
  void (*narrow_)(const Real*, void*, std::int64_t, std::int64_t) = nullptr;
};

}  // namespace

KernelPtr make_resize_cpu(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::ResizeAttrs>();
  if (attrs.mode() == fb::ResizeMode::nearest)
    return make_kernel<NearestResize>(spec.memory, spec, attrs);
  // 16-bit floats and small integers are exact in float; the others need double.
  const DType dtype = spec.input(0).dtype;
  if (dtype == DType::float32 || size_of(dtype) <= 2)
    return make_kernel<WeightedResize<float>>(spec.memory, spec, attrs);
  return make_kernel<WeightedResize<double>>(spec.memory, spec, attrs);
}

}  // namespace skiff
