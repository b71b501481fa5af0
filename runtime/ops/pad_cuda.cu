#include <skiff_device/launch.h>

#include <cstring>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/ops/convert.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

struct PadLoop {
  fb::PadMode mode;
  int rank;
  int extents[kMaxRank], own[kMaxRank], before[kMaxRank];
};

__device__ int modulo(int a, int n) { return (a % n + n) % n; }

/// Where index i, counted from the first own element, comes from; -1: from nowhere. Pads may be
/// longer than the axis: reflections repeat.
__device__ int source_index(fb::PadMode mode, int i, int extent) {
  if (i >= 0 && i < extent) return i;
  switch (mode) {
    case fb::PadMode::edge:
      return i < 0 ? 0 : extent - 1;
    case fb::PadMode::wrap:
      return modulo(i, extent);
    case fb::PadMode::reflect: {
      const int inside = modulo(i, extent > 1 ? 2 * (extent - 1) : 1);
      return inside < extent ? inside : 2 * (extent - 1) - inside;
    }
    case fb::PadMode::symmetric: {
      const int inside = modulo(i, 2 * extent);
      return inside < extent ? inside : 2 * extent - 1 - inside;
    }
    default:
      return -1;
  }
}

/// `value` holds the element that fills; `given`, when not null, points to another one.
template <typename T>
__global__ void pad_elements(PadLoop loop, std::int64_t count, const T* x, T value, const T* given,
                             T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  std::int64_t rest = i, from = 0, stride = 1;
  bool outside = false;
  for (int axis = loop.rank - 1; axis >= 0; --axis) {
    const std::int64_t next = rest / loop.extents[axis];
    const int index = static_cast<int>(rest - next * loop.extents[axis]) - loop.before[axis];
    const int source = source_index(loop.mode, index, loop.own[axis]);
    outside = outside || source < 0;
    from += source * stride;
    stride *= loop.own[axis];
    rest = next;
  }
  y[i] = !outside ? x[from] : given != nullptr ? *given : value;
}

class Pad final : public Kernel {
 public:
  explicit Pad(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype),
        count_(spec.output(0).elements()),
        has_value_(spec.node.has_input(1)) {
    const auto& attrs = spec.node.attrs<fb::PadAttrs>();
    const Shape &x = spec.input(0).shape, &y = spec.output(0).shape;
    loop_.mode = attrs.mode();
    loop_.rank = x.rank();
    for (int axis = 0; axis < x.rank(); ++axis) {
      loop_.own[axis] = narrow(x[axis]);
      loop_.extents[axis] = narrow(y[axis]);
      loop_.before[axis] = narrow(spec.node.dim(attrs.pads()->Get(static_cast<unsigned>(axis))));
    }
    const double value = attrs.value();
    find_convert(spec.node, DType::float64, dtype_)(&value, value_, 1);
    blocks_for(count_, kThreads);
  }

  const char* algorithm() const noexcept override { return "pad"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_size(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      T value;
      std::memcpy(&value, value_, sizeof(T));
      check(
          Launch<pad_elements<T>>::run(blocks_for(count_, kThreads), kThreads, args.stream(), loop_,
                                       count_, args.input<T>(0), value,
                                       has_value_ ? args.input<T>(1) : nullptr, args.output<T>(0)),
          "pad");
    });
  }

 private:
  DType dtype_;
  std::int64_t count_;
  bool has_value_;
  PadLoop loop_{};
  alignas(8) std::byte value_[8] = {};
};

}  // namespace

KernelPtr make_pad(const KernelSpec& spec) { return make_kernel<Pad>(spec.memory, spec); }

}  // namespace skiff::cuda
