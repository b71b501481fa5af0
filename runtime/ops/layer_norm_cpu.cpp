#include <cmath>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

struct Plan {
  std::int64_t rows;
  std::int64_t count;
  double epsilon;
  bool rms;
  bool scaled, biased;
  int outputs;
  const cpu::RowTable* table;
};

/// mean and 1 / sqrt(variance + epsilon), or 0 and 1 / sqrt(mean square + epsilon).
struct Statistics {
  double mean = 0;
  double factor = 1;
};

Statistics statistics(const Plan& p, const float* x) {
  const auto fold = [&](cpu::RowFold f) { return p.table->fold[static_cast<int>(f)](x, p.count); };
  const auto n = static_cast<double>(p.count);
  if (p.rms) return {0, 1 / std::sqrt(fold(cpu::RowFold::sum_square) / n + p.epsilon)};
  const double mean = fold(cpu::RowFold::sum) / n;
  const double square = p.table->sum_square_about(x, p.count, static_cast<float>(mean));
  return {mean, 1 / std::sqrt(square / n + p.epsilon)};
}

template <typename T>
Statistics statistics(const Plan& p, const T* x) {
  const auto n = static_cast<double>(p.count);
  double mean = 0, square = 0;
  if (!p.rms) {
    for (std::int64_t i = 0; i < p.count; ++i) mean += static_cast<double>(load(x[i]));
    mean /= n;
  }
  for (std::int64_t i = 0; i < p.count; ++i) {
    const double d = static_cast<double>(load(x[i])) - mean;
    square += d * d;
  }
  return {mean, 1 / std::sqrt(square / n + p.epsilon)};
}

template <typename T>
void apply(const Plan& p, const Statistics& s, const T* x, T* y, const T* scale, const T* bias) {
  if constexpr (std::is_same_v<T, float>) {
    p.table->normalize(x, y, p.count, static_cast<float>(s.mean), static_cast<float>(s.factor),
                       scale, bias);
  } else {
    for (std::int64_t i = 0; i < p.count; ++i) {
      double v = (static_cast<double>(load(x[i])) - s.mean) * s.factor;
      if (scale != nullptr) v *= static_cast<double>(load(scale[i]));
      if (bias != nullptr) v += static_cast<double>(load(bias[i]));
      y[i] = T(static_cast<Compute<T>>(v));
    }
  }
}

template <typename T>
void run_rows(const Plan& p, const RunArgs& args) {
  const T* scale = p.scaled ? args.input<T>(1) : nullptr;
  const T* bias = p.biased ? args.input<T>(2) : nullptr;
  parallel_chunks(args, p.rows, grain_for(p.count * 2), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* x = args.input<T>(0) + row * p.count;
      const Statistics s = statistics(p, x);
      apply(p, s, x, args.output<T>(0) + row * p.count, scale, bias);
      if (p.outputs > 1) args.output<float>(1)[row] = static_cast<float>(s.mean);
      if (p.outputs > 2) args.output<float>(2)[row] = static_cast<float>(s.factor);
    }
  });
}

class LayerNormKernel final : public Kernel {
 public:
  LayerNormKernel(const KernelSpec& spec, const fb::NormAttrs& attrs) {
    const Shape& shape = spec.input(0).shape;
    const int axis = static_cast<int>(attrs.axis());
    plan_ = {shape.elements(0, axis),
             shape.elements(axis, shape.rank()),
             static_cast<double>(attrs.epsilon()),
             attrs.rms(),
             spec.node.has_input(1),
             spec.node.has_input(2),
             static_cast<int>(spec.outputs.size()),
             &spec.table.rows};
    run_ = dispatch(spec.node, spec.input(0).dtype, FloatTypes{},
                    [](auto type) { return &run_rows<typename decltype(type)::type>; });
  }

  bool can_overwrite(int input, int output) const noexcept override {
    return input == 0 && output == 0;
  }

  Status run(const RunArgs& args) noexcept override {
    run_(plan_, args);
    return {};
  }

 private:
  Plan plan_{};
  void (*run_)(const Plan&, const RunArgs&) = nullptr;
};

}  // namespace

KernelPtr make_layer_norm_cpu(const KernelSpec& spec) {
  return make_kernel<LayerNormKernel>(spec.memory, spec, spec.node.attrs<fb::NormAttrs>());
}

}  // namespace skiff
