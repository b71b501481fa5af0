#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/indices.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

// gather_elements and gather_nd: every entry of the indices names a block of the operand.
namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

struct Blocks {
  std::int64_t size;       ///< elements of a block
  std::int64_t per_batch;  ///< entries of a batch
  std::int64_t of_batch;   ///< blocks that the operand has in a batch
};

/// An index that is out of range sets `bad_value` and brings nothing.
template <typename T, typename Places>
__global__ void gather_places(Blocks blocks, Places places, std::int64_t elements, const T* x,
                              Indices indices, T* y, std::int32_t* bad_value) {
  const std::int64_t i = global_thread();
  if (i >= elements) return;
  const std::int64_t n = i / blocks.size;
  const std::int64_t place = places.place(indices, n);
  if (place < 0) {
    *bad_value = 1;
    return;
  }
  const std::int64_t block = n / blocks.per_batch * blocks.of_batch + place;
  y[i] = x[block * blocks.size + (i - n * blocks.size)];
}

template <typename Places>
class GatherPlaces final : public Kernel {
 public:
  GatherPlaces(const KernelSpec& spec, const Places& places, const Blocks& blocks)
      : dtype_(spec.input(0).dtype),
        index_type_(spec.input(1).dtype),
        elements_(spec.output(0).elements()),
        places_(places),
        blocks_(blocks) {
    narrow(elements_);
  }

  const char* algorithm() const noexcept override { return "gather"; }

  void enqueue(const LaunchArgs& args) override {
    if (elements_ == 0) return;
    dispatch_size(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<gather_places<T, Places>>::run(
                blocks_for(elements_, kThreads), kThreads, args.stream(), blocks_, places_,
                elements_, args.input<T>(0), Indices(args.input<void>(1), index_type_),
                args.output<T>(0), args.bad_value()),
            "gather");
    });
  }

 private:
  DType dtype_, index_type_;
  std::int64_t elements_;
  Places places_;
  Blocks blocks_;
};

}  // namespace

KernelPtr make_gather_elements(const KernelSpec& spec) {
  const Shape& indices = spec.input(1).shape;
  const int axis = static_cast<int>(spec.node.attrs<fb::GatherAttrs>().axis());
  return make_kernel<GatherPlaces<AxisPlaces>>(spec.memory, spec,
                                               AxisPlaces(spec.input(0).shape, indices, axis),
                                               Blocks{1, indices.elements(), 0});
}

KernelPtr make_gather_nd(const KernelSpec& spec) {
  const Shape &x = spec.input(0).shape, &indices = spec.input(1).shape;
  const int batch = static_cast<int>(spec.node.attrs<fb::GatherAttrs>().batch_dims());
  const int inner = batch + static_cast<int>(indices.back());
  const Blocks blocks{x.elements(inner, x.rank()), indices.elements(batch, indices.rank() - 1),
                      x.elements(batch, inner)};
  return make_kernel<GatherPlaces<TuplePlaces>>(spec.memory, spec, TuplePlaces(x, indices, batch),
                                                blocks);
}

}  // namespace skiff::cuda
