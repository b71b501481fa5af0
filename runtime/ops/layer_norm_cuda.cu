#include <skiff_device/launch.h>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

/// Rows of a normalisation. Element i of row r lies at start(r) + i / run * pitch + i % run, and
/// has parameter number first(r) + i % period: layer_norm's rows are dense with a parameter an
/// element, group_norm's are the channels of a group, pixel by pixel.
struct NormRows {
  std::int64_t extent;      ///< elements of a row
  std::int64_t run, pitch;  ///< elements side by side, and from one run to the next
  std::int64_t groups;      ///< rows that share a start's outer part
  std::int64_t outer;       ///< elements of all of them together
  float epsilon;
  bool rms;
};

struct NormPlace {
  std::int64_t start, parameters;
};

__device__ NormPlace place_of(const NormRows& p, std::int64_t row) {
  const std::int64_t group = row % p.groups;
  return {row / p.groups * p.outer + group * p.run, group * p.run};
}

/// A block a row: y = (x - mean) / sqrt(variance + epsilon) * scale + bias. Mean and inverse
/// deviation are results too where asked for.
template <typename T>
__global__ void __launch_bounds__(kRowThreads)
    normalise_rows(NormRows p, const T* x, const T* scale, const T* bias, T* y, float* means,
                   float* deviations) {
  const NormPlace place = place_of(p, blockIdx.x);
  const auto element = [&](std::int64_t i) {
    return place.start + i / p.run * p.pitch + i % p.run;
  };
  Accumulator<Sum> sum;
  for (std::int64_t i = threadIdx.x; i < p.extent; i += kRowThreads)
    sum.add(to_float(x[element(i)]));
  const auto count = static_cast<float>(p.extent);
  const float mean = p.rms ? 0.0f : reduce_block<Sum>(sum.result()) / count;
  Accumulator<Sum> squares;
  for (std::int64_t i = threadIdx.x; i < p.extent; i += kRowThreads) {
    const float centred = to_float(x[element(i)]) - mean;
    squares.add(centred * centred);
  }
  const float factor = 1.0f / sqrtf(reduce_block<Sum>(squares.result()) / count + p.epsilon);
  for (std::int64_t i = threadIdx.x; i < p.extent; i += kRowThreads) {
    const std::int64_t parameter = place.parameters + i % p.run;
    float value = (to_float(x[element(i)]) - mean) * factor;
    if (scale != nullptr) value *= to_float(scale[parameter]);
    if (bias != nullptr) value += to_float(bias[parameter]);
    y[element(i)] = from_float<T>(value);
  }
  if (threadIdx.x != 0) return;
  if (means != nullptr) means[blockIdx.x] = mean;
  if (deviations != nullptr) deviations[blockIdx.x] = factor;
}

class Norm final : public Kernel {
 public:
  Norm(const KernelSpec& spec, std::int64_t rows, const NormRows& plan)
      : dtype_(spec.input(0).dtype),
        rows_(blocks_for(plan.extent == 0 ? 0 : rows, 1)),
        plan_(plan),
        has_scale_(spec.node.has_input(1)),
        has_bias_(spec.node.has_input(2)),
        outputs_(spec.outputs.size()) {
    dispatch_float(dtype_, [](auto) {});
  }

  bool can_overwrite(int input) const noexcept override { return input == 0; }
  const char* algorithm() const noexcept override { return "block a row"; }

  void enqueue(const LaunchArgs& args) override {
    if (rows_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<normalise_rows<T>>::run(
                rows_, kRowThreads, args.stream(), plan_, args.input<T>(0),
                has_scale_ ? args.input<T>(1) : nullptr, has_bias_ ? args.input<T>(2) : nullptr,
                args.output<T>(0), outputs_ > 1 ? args.output<float>(1) : nullptr,
                outputs_ > 2 ? args.output<float>(2) : nullptr),
            "normalisation");
    });
  }

 private:
  DType dtype_;
  unsigned rows_;
  NormRows plan_;
  bool has_scale_, has_bias_;
  std::size_t outputs_;
};

}  // namespace

KernelPtr make_layer_norm(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::NormAttrs>();
  const Shape& x = spec.input(0).shape;
  const int axis = static_cast<int>(attrs.axis());
  const std::int64_t extent = x.elements(axis, x.rank());
  const NormRows plan{extent,     std::max<std::int64_t>(extent, 1), 0, 1, extent, attrs.epsilon(),
                      attrs.rms()};
  return make_kernel<Norm>(spec.memory, spec, x.elements(0, axis), plan);
}

KernelPtr make_group_norm(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::NormAttrs>();
  const Shape& x = spec.input(0).shape;
  const std::int64_t pixels = x.elements(1, x.rank() - 1), channels = x.back();
  const std::int64_t run = std::max<std::int64_t>(1, channels / attrs.groups());
  const std::int64_t groups = channels == 0 ? 0 : channels / run;
  const NormRows plan{
      pixels * run,    run,        channels, std::max<std::int64_t>(1, groups), pixels * channels,
      attrs.epsilon(), attrs.rms()};
  return make_kernel<Norm>(spec.memory, spec, x[0] * groups, plan);
}

}  // namespace skiff::cuda
