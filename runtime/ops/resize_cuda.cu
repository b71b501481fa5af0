#include <skiff_device/launch.h>

#include <algorithm>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/ops/resize_axis.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kAxes = 2;  ///< that change their extent

/// x [outer, in0, between, in1, inner] -> y [outer, out0, between, out1, inner].
struct ResizeShape {
  int in[kAxes], out[kAxes], taps[kAxes];
  int tables[kAxes];  ///< where an axis' taps begin in the table
  std::int64_t between, inner;
};

/// An input index and its weight.
struct Tap {
  int index;
  float weight;
};

template <typename T>
__global__ void resize_elements(ResizeShape s, std::int64_t count, const Tap* tables, const T* x,
                                T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  std::int64_t rest = i / s.inner;
  const std::int64_t inner = i - rest * s.inner;
  const Tap* columns = tables + s.tables[1] + rest % s.out[1] * s.taps[1];
  rest /= s.out[1];
  const std::int64_t between = rest % s.between;
  rest /= s.between;
  const Tap* rows = tables + s.tables[0] + rest % s.out[0] * s.taps[0];
  const std::int64_t outer = rest / s.out[0];
  float sum = 0.0f;
  for (int r = 0; r < s.taps[0]; ++r) {
    const std::int64_t line = ((outer * s.in[0] + rows[r].index) * s.between + between) * s.in[1];
    float part = 0.0f;
    for (int c = 0; c < s.taps[1]; ++c)
      part += columns[c].weight * to_float(x[(line + columns[c].index) * s.inner + inner]);
    sum += rows[r].weight * part;
  }
  y[i] = from_float<T>(sum);
}

class Resize final : public Kernel {
 public:
  explicit Resize(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype), count_(spec.output(0).elements()) {
    const auto& attrs = spec.node.attrs<fb::ResizeAttrs>();
    if (attrs.coordinates() == fb::CoordinateMode::tf_crop_and_resize)
      refuse("no GPU kernel for tf_crop_and_resize");
    choose_axes(attrs, spec.input(0).shape, spec.output(0).shape);
    blocks_for(count_, kThreads);
    dispatch_float(dtype_, [](auto) {});
  }

  skiff_constant_form constant_form(int input) const noexcept override {
    return {input == -1 ? static_cast<std::uint64_t>(table_) * sizeof(Tap) : 0, 0, 0};
  }

  void pack(int, Reader&, std::span<std::byte> packed, std::span<std::byte>) override {
    auto* tap = reinterpret_cast<Tap*>(packed.data());
    for (const ResizeAxis& axis : axes_)
      for (std::int64_t o = 0; o < axis.out; ++o) {
        std::int64_t indices[kMostTaps];
        double weights[kMostTaps] = {1};
        if (axis.mode == fb::ResizeMode::nearest)
          indices[0] = axis.nearest_index(o);
        else
          axis.fill(o, indices, weights);
        for (std::int64_t t = 0; t < axis.taps(); ++t)
          *tap++ = {static_cast<int>(indices[t]), static_cast<float>(weights[t])};
      }
  }

  const char* algorithm() const noexcept override { return "taps from tables"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<resize_elements<T>>::run(blocks_for(count_, kThreads), kThreads, args.stream(),
                                            shape_, count_, args.tables<Tap>(), args.input<T>(0),
                                            args.output<T>(0)),
            "resize");
    });
  }

 private:
  static constexpr int kMostTaps = 64;

  /// An axis that stays as it is.
  static ResizeAxis plain_axis() {
    ResizeAxis axis;
    axis.in = axis.out = 1;
    return axis;
  }

  void choose_axes(const fb::ResizeAttrs& attrs, const Shape& in, const Shape& out) {
    int found[kAxes] = {-1, -1}, count = 0;
    for (int axis = 0; axis < in.rank(); ++axis) {
      if (resize_axis(attrs, in, out, axis).identity()) continue;
      if (count == kAxes) refuse("more than two axes change");
      found[count++] = axis;
    }
    const int last = count == 0 ? in.rank() - 1 : found[count - 1];
    shape_.between = count == kAxes ? in.elements(found[0] + 1, found[1]) : 1;
    shape_.inner = in.elements(last + 1, in.rank());
    for (int n = 0; n < kAxes; ++n) {
      // With one axis to change, the first of the two is the plain one.
      const int axis = count == kAxes ? found[n] : n == 1 && count == 1 ? found[0] : -1;
      axes_[n] = axis < 0 ? plain_axis() : resize_axis(attrs, in, out, axis);
      if (axes_[n].taps() > kMostTaps) refuse("more than ", kMostTaps, " taps an element");
      shape_.in[n] = narrow(axes_[n].in);
      shape_.out[n] = narrow(axes_[n].out);
      shape_.taps[n] = static_cast<int>(axes_[n].taps());
      shape_.tables[n] = narrow(table_);
      table_ += axes_[n].out * axes_[n].taps();
    }
    if (count == 0) shape_.inner = in.elements();
  }

  DType dtype_;
  std::int64_t count_;
  ResizeAxis axes_[kAxes];
  ResizeShape shape_{};
  std::int64_t table_ = 0;  ///< taps
};

}  // namespace

KernelPtr make_resize(const KernelSpec& spec) { return make_kernel<Resize>(spec.memory, spec); }

}  // namespace skiff::cuda
