#include "runtime/ops/squeeze_excite.h"

#include <skiff_device/launch.h>

#include <bit>
#include <cstring>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/weights.h"

// Two launches that many blocks share, with no waiting between blocks: what a block needs of all
// the others is made in the launch before, and small enough for each to add up itself.
namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kMostColumns = 32;
/// Pixels of a block of the second launch.
constexpr int kTile = 64;

/// Of one image; blocks are `columns` neighbouring channels wide, threads of a block stand in rows
/// of that length.
struct SqueezePlan {
  int channels, hidden, pixels;
  int columns;       ///< a power of two
  int slices;        ///< blocks beside each other
  int parts;         ///< runs of pixels that the means are made of
  int unit_columns;  ///< a power of two: rows of threads over the hidden channels

  __host__ __device__ int partials() const { return slices * parts; }
};

/// Adds up what stands in `values`, kThreads of them in rows of `columns`, in the same order
/// always; the sums are in the first row then. All threads must call it.
__device__ inline void sum_rows(float* values, int columns) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int half = kThreads / 2; half >= columns; half /= 2) {
    __syncthreads();
    if (thread < half) values[thread] += values[thread + half];
  }
  __syncthreads();
}

/// A block's channels, summed over its run of pixels, and what they give to each hidden channel.
/// Weights [channels, hidden]; partial [images, parts, slices, hidden].
template <typename T>
__global__ void __launch_bounds__(kThreads)
    squeeze(SqueezePlan s, const T* x, const T* weights, float* partial) {
  __shared__ float sums[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const int slice = static_cast<int>(blockIdx.x), part = static_cast<int>(blockIdx.y);
  const int first = slice * s.columns, channel = first + thread % s.columns;
  const std::int64_t image = blockIdx.z;
  const auto edge = [&](int run) {
    return static_cast<int>(static_cast<std::int64_t>(s.pixels) * run / s.parts);
  };
  Accumulator<Sum> sum;
  if (channel < s.channels)
    for (int p = edge(part) + thread / s.columns; p < edge(part + 1); p += kThreads / s.columns)
      sum.add(to_float(x[(image * s.pixels + p) * s.channels + channel]));
  sums[thread] = sum.result();
  sum_rows(sums, s.columns);

  const int count = min(s.columns, s.channels - first);
  partial += ((image * s.parts + part) * s.slices + slice) * s.hidden;
  for (int unit = thread; unit < s.hidden; unit += kThreads) {
    float total = 0.0f;
    for (int c = 0; c < count; ++c)
      total += sums[c] * to_float(weights[static_cast<std::int64_t>(first + c) * s.hidden + unit]);
    partial[unit] = total / static_cast<float>(s.pixels);
  }
}

/// The hidden channels of an image, of all blocks' partial products.
template <typename T>
__device__ void add_up_hidden(const SqueezePlan& s, const Epilogue<T>& then, const float* partial,
                              float* sums, float* hidden) {
  const int thread = static_cast<int>(threadIdx.x);
  const int column = thread % s.unit_columns, row = thread / s.unit_columns;
  for (int first = 0; first < s.hidden; first += s.unit_columns) {
    const int unit = first + column;
    float sum = 0.0f;
    if (unit < s.hidden)
      for (int i = row; i < s.partials(); i += kThreads / s.unit_columns)
        sum += partial[static_cast<std::int64_t>(i) * s.hidden + unit];
    sums[thread] = sum;
    sum_rows(sums, s.unit_columns);
    if (row == 0 && unit < s.hidden) hidden[unit] = then.apply_wide(sums[column], unit);
    __syncthreads();  // `sums` is written again, `hidden` is read
  }
}

/// Gates of a block's channels, then its pixels weighted by them. Weights [hidden, channels].
template <typename T>
__global__ void __launch_bounds__(kThreads)
    excite(SqueezePlan s, Epilogue<T> of_hidden, Epilogue<T> of_gate, Epilogue<T> of_result,
           const T* x, const float* partial, const T* weights, T* y) {
  __shared__ float sums[kThreads];
  __shared__ float hidden[kMostHidden];
  const int thread = static_cast<int>(threadIdx.x), row = thread / s.columns;
  const int channel = static_cast<int>(blockIdx.y) * s.columns + thread % s.columns;
  const int rows = kThreads / s.columns;
  const std::int64_t image = blockIdx.z;
  add_up_hidden(s, of_hidden, partial + image * s.partials() * s.hidden, sums, hidden);

  const bool inside = channel < s.channels;
  float sum = 0.0f;
  if (inside)
    for (int unit = row; unit < s.hidden; unit += rows)
      sum +=
          hidden[unit] * to_float(weights[static_cast<std::int64_t>(unit) * s.channels + channel]);
  sums[thread] = sum;
  sum_rows(sums, s.columns);
  if (!inside) return;
  const float gate = of_gate.apply_wide(sums[thread % s.columns], channel);
  const int begin = static_cast<int>(blockIdx.x) * kTile, end = min(begin + kTile, s.pixels);
  for (int p = begin + row; p < end; p += rows) {
    const std::int64_t i = (image * s.pixels + p) * s.channels + channel;
    y[i] = of_result.apply(to_float(x[i]) * gate, i, channel);
  }
}

/// How many runs of pixels: a thread of the first launch reads about as many pixels then as one of
/// the second reads partial products. More pixels never give fewer.
int parts_of(const SqueezePlan& s) {
  constexpr std::int64_t kMost = 1024;
  const std::int64_t rows = kThreads / s.columns;
  const std::int64_t most = std::min(kMost, ceil_div(s.pixels, rows));
  const std::int64_t work = std::int64_t{s.pixels} * kThreads / rows;
  std::int64_t parts = 1;
  while (parts < most && (parts + 1) * (parts + 1) * s.slices * s.hidden <= work) ++parts;
  return static_cast<int>(parts);
}

int power_of_two(std::int64_t count, int most) {
  return static_cast<int>(
      std::min(std::bit_ceil(static_cast<std::uint64_t>(count)), static_cast<std::uint64_t>(most)));
}

class SqueezeExciteKernel final : public Kernel {
 public:
  using Net = SqueezeExcite;

  explicit SqueezeExciteKernel(const KernelSpec& spec)
      : added_(spec.node.attrs<Net>().added()), dtype_(spec.input(Net::image).dtype) {
    const TensorInfo& x = spec.input(Net::image);
    const std::int64_t hidden = spec.input(Net::reduce_weights).shape[0];
    if (!fits_squeeze_excite(x, hidden)) refuse("no GPU kernel for this size");
    images_ = x.shape[0];
    plan_.channels = narrow(x.shape.back());
    plan_.hidden = narrow(hidden);
    plan_.pixels = narrow(x.shape.elements(1, x.shape.rank() - 1));
    plan_.columns = power_of_two(plan_.channels, kMostColumns);
    plan_.slices = narrow(ceil_div(plan_.channels, plan_.columns));
    plan_.parts = parts_of(plan_);
    plan_.unit_columns = power_of_two(hidden, kThreads);
    for (int input : {Net::reduce_weights, Net::expand_weights})
      stored_[input] = spec.input(input).dtype;
    read_activations(spec.node.attrs<Net>());
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(images_ * plan_.partials()) *
           static_cast<std::size_t>(plan_.hidden) * sizeof(float);
  }

  skiff_constant_form constant_form(int input) const noexcept override {
    if (input != Net::reduce_weights && input != Net::expand_weights) return {};
    const std::int64_t count = std::int64_t{plan_.channels} * plan_.hidden;
    const std::uint64_t bytes = static_cast<std::uint64_t>(count) * size_of(dtype_);
    return {bytes, bytes + read_scratch(stored_[input], dtype_, count), 0};
  }

  /// Stored [to, from], wanted [from, to].
  void pack(int input, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    const std::span<std::byte> dense = scratch.first(packed.size());
    read_weights(reader, stored_[input], dtype_, dense, scratch.subspan(packed.size()));
    const std::size_t size = size_of(dtype_);
    const auto channels = static_cast<std::size_t>(plan_.channels);
    const auto hidden = static_cast<std::size_t>(plan_.hidden);
    const std::size_t from = input == Net::reduce_weights ? channels : hidden;
    const std::size_t to = input == Net::reduce_weights ? hidden : channels;
    for (std::size_t t = 0; t < to; ++t)
      for (std::size_t f = 0; f < from; ++f)
        std::memcpy(packed.data() + (f * to + t) * size, dense.data() + (t * from + f) * size,
                    size);
  }

  /// Image and addend are read once more, each element right before its place is written.
  bool can_overwrite(int input) const noexcept override {
    return input == Net::image || input == added_;
  }

  std::int64_t flops() const noexcept override {
    const std::int64_t weights = std::int64_t{plan_.channels} * plan_.hidden;
    return images_ * (4 * weights + 2 * std::int64_t{plan_.channels} * plan_.pixels);
  }
  const char* algorithm() const noexcept override { return "squeeze, excite"; }

  void enqueue(const LaunchArgs& args) override {
    if (images_ * plan_.pixels == 0) return;
    dispatch_float(dtype_, [&](auto type) { enqueue_as<typename decltype(type)::type>(args); });
  }

 private:
  void read_activations(const Net& net) {
    for (std::size_t i = 0; i < 2; ++i) {
      const auto& conv = *static_cast<const fb::ConvAttrs*>(net.parts[Net::reduce + i].attributes);
      activations_[i] = {conv.activation(), conv.alpha(), conv.beta()};
    }
    const auto& last = *static_cast<const fb::BinaryAttrs*>(net.used().back().attributes);
    activations_[2] = {last.activation(), last.alpha(), last.beta()};
  }

  template <typename T>
  void enqueue_as(const LaunchArgs& args) {
    auto* const partial = static_cast<float*>(args.workspace());
    const auto slices = static_cast<unsigned>(plan_.slices);
    const auto images = static_cast<unsigned>(images_);
    const dim3 pools(slices, static_cast<unsigned>(plan_.parts), images);
    check(Launch<squeeze<T>>::run(pools, kThreads, args.stream(), plan_, args.input<T>(Net::image),
                                  args.input<T>(Net::reduce_weights), partial),
          "squeeze");
    const auto bias = [&](int input) { return args.input<T>(input); };  // null where there is none
    const Epilogue<T> of_hidden{bias(Net::reduce_bias), nullptr, activations_[0]};
    const Epilogue<T> of_gate{bias(Net::expand_bias), nullptr, activations_[1]};
    const Epilogue<T> of_result{nullptr, added_ < 0 ? nullptr : args.input<T>(added_),
                                activations_[2]};
    const dim3 tiles(blocks_for(plan_.pixels, kTile), slices, images);
    check(Launch<excite<T>>::run(tiles, kThreads, args.stream(), plan_, of_hidden, of_gate,
                                 of_result, args.input<T>(Net::image), partial,
                                 args.input<T>(Net::expand_weights), args.output<T>(0)),
          "excite");
  }

  int added_;
  DType dtype_;
  DType stored_[Net::kMaxInputs] = {};
  std::int64_t images_ = 0;
  SqueezePlan plan_{};
  Activation activations_[3];  // of the hidden channels, the gates, the result
};

}  // namespace

KernelPtr make_squeeze_excite(const KernelSpec& spec) {
  return make_kernel<SqueezeExciteKernel>(spec.memory, spec);
}

}  // namespace skiff::cuda
