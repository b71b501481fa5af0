#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/indices.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

struct Axis {
  std::int64_t extent, stride;
  __device__ std::int64_t index_of(std::int64_t element) const { return element / stride % extent; }
};

/// A length that is out of range sets `bad_value`.
template <typename T>
__global__ void reverse_times(Axis batch, Axis time, std::int64_t elements, const T* x,
                              Indices lengths, T* y, std::int32_t* bad_value) {
  const std::int64_t i = global_thread();
  if (i >= elements) return;
  const std::int64_t length = lengths[batch.index_of(i)], t = time.index_of(i);
  if (length < 0 || length > time.extent) {
    *bad_value = 1;
    return;
  }
  const std::int64_t from = t < length ? length - 1 - t : t;
  y[i] = x[i + (from - t) * time.stride];
}

class ReverseSequence final : public Kernel {
 public:
  explicit ReverseSequence(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype),
        index_type_(spec.input(1).dtype),
        elements_(spec.input(0).elements()) {
    if (elements_ == 0) refuse("lengths of empty sequences are checked on the CPU");
    const auto& attrs = spec.node.attrs<fb::ReverseSequenceAttrs>();
    const Shape& x = spec.input(0).shape;
    const Strides strides = row_major(x);
    const auto axis_of = [&](std::int64_t number) {
      const int axis = static_cast<int>(number);
      return Axis{x[axis], strides[at(axis)]};
    };
    batch_ = axis_of(attrs.batch_axis());
    time_ = axis_of(attrs.time_axis());
    blocks_for(elements_, kThreads);
  }

  const char* algorithm() const noexcept override { return "gather"; }

  void enqueue(const LaunchArgs& args) override {
    dispatch_size(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<reverse_times<T>>::run(blocks_for(elements_, kThreads), kThreads, args.stream(),
                                          batch_, time_, elements_, args.input<T>(0),
                                          Indices(args.input<void>(1), index_type_),
                                          args.output<T>(0), args.bad_value()),
            "reverse_sequence");
    });
  }

 private:
  DType dtype_, index_type_;
  std::int64_t elements_;
  Axis batch_{}, time_{};
};

}  // namespace

KernelPtr make_reverse_sequence(const KernelSpec& spec) {
  return make_kernel<ReverseSequence>(spec.memory, spec);
}

}  // namespace skiff::cuda
