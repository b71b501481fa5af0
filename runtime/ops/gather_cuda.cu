#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/indices.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

struct GatherShape {
  std::int64_t outer;  ///< tables of `extent` rows, outer of them for each batch
  std::int64_t extent;
  std::int64_t count;  ///< indices of a batch
  std::int64_t inner;  ///< elements of a row
};

/// An index that is out of range sets `bad_value` and brings nothing.
template <typename T>
__global__ void gather_rows(GatherShape s, std::int64_t elements, const T* x, Indices indices, T* y,
                            std::int32_t* bad_value) {
  const std::int64_t i = global_thread();
  if (i >= elements) return;
  const std::int64_t row = i / s.inner, inside = i - row * s.inner;
  const std::int64_t table = row / s.count, entry = row - table * s.count;
  const std::int64_t index = indices.wrapped(table / s.outer * s.count + entry, s.extent);
  if (index < 0) {
    *bad_value = 1;
    return;
  }
  y[i] = x[(table * s.extent + index) * s.inner + inside];
}

class Gather final : public Kernel {
 public:
  explicit Gather(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype),
        index_type_(spec.input(1).dtype),
        elements_(spec.output(0).elements()) {
    const auto& attrs = spec.node.attrs<fb::GatherAttrs>();
    const Shape &x = spec.input(0).shape, &indices = spec.input(1).shape;
    const int axis = static_cast<int>(attrs.axis()), batch = static_cast<int>(attrs.batch_dims());
    shape_ = {x.elements(batch, axis), x[axis], indices.elements(batch, indices.rank()),
              x.elements(axis + 1, x.rank())};
    blocks_for(elements_, kThreads);
  }

  const char* algorithm() const noexcept override { return "gather"; }

  void enqueue(const LaunchArgs& args) override {
    if (elements_ == 0) return;
    dispatch_size(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<gather_rows<T>>::run(blocks_for(elements_, kThreads), kThreads, args.stream(),
                                        shape_, elements_, args.input<T>(0),
                                        Indices(args.input<void>(1), index_type_),
                                        args.output<T>(0), args.bad_value()),
            "gather");
    });
  }

 private:
  DType dtype_, index_type_;
  std::int64_t elements_;
  GatherShape shape_{};
};

}  // namespace

KernelPtr make_gather(const KernelSpec& spec) { return make_kernel<Gather>(spec.memory, spec); }

}  // namespace skiff::cuda
