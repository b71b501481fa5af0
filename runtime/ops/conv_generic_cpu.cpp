#include <algorithm>

#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/conv_packed.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/unary_run.h"

namespace skiff {
namespace {

/// Any dtype: output pixel by output pixel, channel by channel, weights as they are stored.
class GenericConv final : public Kernel {
 public:
  GenericConv(const KernelSpec& spec, const ConvGeometry& g)
      : g_(g),
        transposed_(spec.node.op == fb::OpKind::conv_transpose),
        has_bias_(spec.node.has_input(2)),
        has_residual_(spec.node.has_input(3)) {
    const DType dtype = spec.input(0).dtype;
    if (spec.input(1).dtype != dtype) fail_dtype(spec.node, spec.input(1).dtype);
    const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
    if (attrs.activation() != fb::UnaryFunction::none)
      activation_ = make_unary_run(spec.node, attrs.activation(), attrs.alpha(), attrs.beta(),
                                   dtype, spec.table);
    row_ = dispatch(spec.node, dtype, FloatTypes{}, [](auto type) {
      return Row([](const GenericConv& self, const RunArgs& args, std::int64_t row) {
        self.compute<typename decltype(type)::type>(args, row);
      });
    });
  }

  bool can_overwrite(int input, int) const noexcept override { return input == 3; }
  Status run(const RunArgs& args) noexcept override {
    args.pool.parallel_for(g_.batch * g_.out[0] * g_.out[1],
                           [&](std::int64_t row) { row_(*this, args, row); });
    return {};
  }
  std::int64_t flops() const noexcept override {
    return cpu::work_of({2, g_.batch, g_.out_pixels(), g_.cout, g_.taps(), g_.group_cin()});
  }

 private:
  using Row = void (*)(const GenericConv& self, const RunArgs& args, std::int64_t row);

  /// Input position under kernel position k of output position o; false when there is none.
  bool locate(std::size_t axis, std::int64_t o, std::int64_t k, std::int64_t& at) const noexcept {
    if (transposed_) {
      at = o + g_.pad_begin[axis] - k * g_.dilation[axis];
      if (at % g_.stride[axis] != 0) return false;
      at /= g_.stride[axis];
    } else {
      at = o * g_.stride[axis] - g_.pad_begin[axis] + k * g_.dilation[axis];
    }
    return at >= 0 && at < g_.in[axis];
  }

  template <typename T>
  Compute<T> sum(const T* image, const T* filter, std::int64_t oz, std::int64_t oy,
                 std::int64_t ox) const noexcept {
    Compute<T> total{};
    std::int64_t iz = 0, iy = 0, ix = 0;
    for (std::int64_t z = 0; z < g_.kernel[0]; ++z) {
      if (!locate(0, oz, z, iz)) continue;
      for (std::int64_t y = 0; y < g_.kernel[1]; ++y) {
        if (!locate(1, oy, y, iy)) continue;
        for (std::int64_t x = 0; x < g_.kernel[2]; ++x) {
          if (!locate(2, ox, x, ix)) continue;
          const T* from = image + ((iz * g_.in[1] + iy) * g_.in[2] + ix) * g_.cin;
          const T* w = filter + ((z * g_.kernel[1] + y) * g_.kernel[2] + x) * g_.group_cin();
          for (std::int64_t c = 0; c < g_.group_cin(); ++c) total += load(from[c]) * load(w[c]);
        }
      }
    }
    return total;
  }

  /// Output row `row` of batch * depth * height.
  template <typename T>
  void compute(const RunArgs& args, std::int64_t row) const noexcept {
    const std::int64_t oy = row % g_.out[1], oz = row / g_.out[1] % g_.out[0];
    const std::int64_t b = row / (g_.out[1] * g_.out[0]);
    const T* image = args.input<T>(0) + b * g_.in_pixels() * g_.cin;
    const std::int64_t depth = g_.taps() * g_.group_cin();
    for (std::int64_t ox = 0; ox < g_.out[2]; ++ox) {
      const std::int64_t at = (row * g_.out[2] + ox) * g_.cout;
      for (std::int64_t n = 0; n < g_.cout; ++n) {
        const std::int64_t channel = n / g_.group_cout() * g_.group_cin();
        Compute<T> value = sum(image + channel, args.input<T>(1) + n * depth, oz, oy, ox);
        if (has_bias_) value += load(args.input<T>(2)[n]);
        if (has_residual_) value += load(args.input<T>(3)[at + n]);
        args.output<T>(0)[at + n] = static_cast<T>(value);
      }
      T* pixel = args.output<T>(0) + at;
      if (activation_) activation_(pixel, pixel, g_.cout);
    }
  }

  ConvGeometry g_;
  UnaryRun activation_;
  Row row_ = nullptr;
  bool transposed_;
  bool has_bias_;
  bool has_residual_;
};

}  // namespace

KernelPtr make_generic_conv(const KernelSpec& spec, const ConvGeometry& geometry) {
  return make_kernel<GenericConv>(spec.memory, spec, geometry);
}

}  // namespace skiff
