#include "runtime/ops/pool_generic.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/dispatch.h"

namespace skiff {
namespace {

using PoolTypes = decltype(FloatTypes{} + Types<std::int8_t, std::uint8_t>{});

/// Kernel positions of one axis whose input position lies in [0, extent).
struct Reach {
  std::int64_t start, step, begin, end;
};

class GenericPool final : public Kernel {
 public:
  GenericPool(const KernelSpec& spec, const PoolGeometry& g)
      : g_(g), has_indices_(spec.outputs.size() > 1) {
    const auto& attrs = spec.node.attrs<fb::PoolAttrs>();
    function_ = attrs.function();
    p_ = static_cast<double>(attrs.p());
    count_padding_ = attrs.count_include_pad();
    column_major_ = attrs.column_major();
    channels_first_ = attrs.index_channels_first();
    row_ = dispatch(spec.node, spec.input(0).dtype, PoolTypes{}, [](auto type) {
      return Row([](const GenericPool& self, const RunArgs& args, std::int64_t row) {
        self.compute<typename decltype(type)::type>(args, row);
      });
    });
  }

  Status run(const RunArgs& args) noexcept override {
    args.pool.parallel_for(g_.batch * g_.out[0] * g_.out[1],
                           [&](std::int64_t row) { row_(*this, args, row); });
    return {};
  }

 private:
  using Row = void (*)(const GenericPool& self, const RunArgs& args, std::int64_t row);

  struct Window {
    std::int64_t image;  // first pixel of the image
    Reach axes[3];
  };

  Reach reach(std::size_t axis, std::int64_t o, std::int64_t before, std::int64_t after) const {
    const std::int64_t start = o * g_.stride[axis] - g_.pad_begin[axis], step = g_.dilation[axis];
    const std::int64_t low = -before, high = g_.in[axis] + after;
    const std::int64_t begin = start >= low ? 0 : ceil_div(low - start, step);
    const std::int64_t end = start >= high ? 0 : ceil_div(high - start, step);
    return {start, step, begin, std::min(end, g_.kernel[axis])};
  }

  /// What a mean divides by; with padding, positions in the padded input count.
  double window_size(const std::int64_t (&at)[3]) const noexcept {
    double size = 1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const Reach r = count_padding_ ? reach(axis, at[axis], g_.pad_begin[axis], g_.pad_end[axis])
                                     : reach(axis, at[axis], 0, 0);
      size *= static_cast<double>(std::max<std::int64_t>(r.end - r.begin, 0));
    }
    return std::max(size, 1.0);
  }

  /// Calls f(pixel) for every input pixel of the window, in order.
  template <typename F>
  void each_pixel(const Window& w, F&& f) const noexcept {
    const Reach &rz = w.axes[0], &ry = w.axes[1], &rx = w.axes[2];
    for (std::int64_t z = rz.begin; z < rz.end; ++z)
      for (std::int64_t y = ry.begin; y < ry.end; ++y)
        for (std::int64_t x = rx.begin; x < rx.end; ++x)
          f(((rz.start + z * rz.step) * g_.in[1] + ry.start + y * ry.step) * g_.in[2] + rx.start +
            x * rx.step);
  }

  /// The index of a maximum as the attributes want it counted.
  std::int64_t index_of(std::int64_t image, std::int64_t pixel, std::int64_t c) const noexcept {
    const std::int64_t pixels = g_.in[0] * g_.in[1] * g_.in[2];
    if (column_major_) {
      const std::int64_t x = pixel % g_.in[2], y = pixel / g_.in[2] % g_.in[1];
      pixel = (x * g_.in[1] + y) * g_.in[0] + pixel / (g_.in[2] * g_.in[1]);
    }
    return channels_first_ ? (image * g_.channels + c) * pixels + pixel
                           : (image * pixels + pixel) * g_.channels + c;
  }

  template <typename T>
  void maximum(const RunArgs& args, const Window& w, std::int64_t out) const noexcept {
    const std::int64_t pixels = g_.in[0] * g_.in[1] * g_.in[2];
    const T* x = args.input<T>(0) + w.image * pixels * g_.channels;
    for (std::int64_t c = 0; c < g_.channels; ++c) {
      std::int64_t best = -1;
      each_pixel(w, [&](std::int64_t pixel) {
        if (best >= 0) {
          const auto largest = load(x[best * g_.channels + c]);
          if (largest >= load(x[pixel * g_.channels + c]) || std::isnan(largest)) return;
        }
        best = pixel;
      });
      using Value = Compute<T>;
      constexpr Value least = std::numeric_limits<Value>::has_infinity
                                  ? -std::numeric_limits<Value>::infinity()
                                  : std::numeric_limits<Value>::lowest();
      args.output<T>(0)[out + c] = best < 0 ? static_cast<T>(least) : x[best * g_.channels + c];
      if (has_indices_)
        args.output<std::int64_t>(1)[out + c] =
            index_of(w.image, std::max<std::int64_t>(best, 0), c);
    }
  }

  template <typename T>
  void accumulate(const RunArgs& args, const Window& w, double size,
                  std::int64_t out) const noexcept {
    const std::int64_t pixels = g_.in[0] * g_.in[1] * g_.in[2];
    const T* x = args.input<T>(0) + w.image * pixels * g_.channels;
    const bool lp = function_ == fb::PoolFunction::lp;
    for (std::int64_t c = 0; c < g_.channels; ++c) {
      double sum = 0;
      each_pixel(w, [&](std::int64_t pixel) {
        const auto value = static_cast<double>(load(x[pixel * g_.channels + c]));
        sum += lp ? std::pow(std::abs(value), p_) : value;
      });
      const double result = lp ? std::pow(sum, 1.0 / p_) : sum / size;
      args.output<T>(0)[out + c] = static_cast<T>(static_cast<Compute<T>>(result));
    }
  }

  /// Output row `row` of batch * depth * height.
  template <typename T>
  void compute(const RunArgs& args, std::int64_t row) const noexcept {
    const std::int64_t oy = row % g_.out[1], oz = row / g_.out[1] % g_.out[0];
    Window w{row / (g_.out[1] * g_.out[0]), {}};
    for (std::int64_t ox = 0; ox < g_.out[2]; ++ox) {
      const std::int64_t at[3] = {oz, oy, ox};
      for (std::size_t axis = 0; axis < 3; ++axis) w.axes[axis] = reach(axis, at[axis], 0, 0);
      const std::int64_t out = (row * g_.out[2] + ox) * g_.channels;
      if (function_ == fb::PoolFunction::maximum)
        maximum<T>(args, w, out);
      else
        accumulate<T>(args, w, window_size(at), out);
    }
  }

  PoolGeometry g_;
  fb::PoolFunction function_ = fb::PoolFunction::maximum;
  double p_ = 2;
  bool count_padding_ = false;
  bool column_major_ = false;
  bool channels_first_ = false;
  bool has_indices_;
  Row row_ = nullptr;
};

}  // namespace

KernelPtr make_generic_pool(const KernelSpec& spec, const PoolGeometry& geometry) {
  return make_kernel<GenericPool>(spec.memory, spec, geometry);
}

}  // namespace skiff
