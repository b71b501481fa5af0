#include <algorithm>
#include <cmath>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

struct Plan {
  std::int64_t batch, pixels, channels;
  std::int64_t group;  ///< channels a group
  double epsilon;
  bool rms;
  bool scaled, biased;
  const cpu::RowTable* table;
};

/// One group of any float type, numbers in double.
template <typename T>
void run_group(const Plan& p, const T* x, T* y, const T* scale, const T* bias) {
  const auto each = [&](auto f) {
    for (std::int64_t i = 0; i < p.pixels; ++i)
      for (std::int64_t c = 0; c < p.group; ++c) f(i * p.channels + c, c);
  };
  const auto value = [&](std::int64_t at) { return static_cast<double>(load(x[at])); };
  const auto count = static_cast<double>(p.pixels * p.group);
  double mean = 0, square = 0;
  if (!p.rms) each([&](std::int64_t at, std::int64_t) { mean += value(at); });
  mean /= count;
  each([&](std::int64_t at, std::int64_t) { square += (value(at) - mean) * (value(at) - mean); });
  const double factor = 1 / std::sqrt(square / count + p.epsilon);
  each([&](std::int64_t at, std::int64_t c) {
    double v = (value(at) - mean) * factor;
    if (scale != nullptr) v *= static_cast<double>(load(scale[c]));
    if (bias != nullptr) v += static_cast<double>(load(bias[c]));
    y[at] = T(static_cast<Compute<T>>(v));
  });
}

template <typename T>
void run_groups(const Plan& p, const RunArgs& args) {
  const std::int64_t groups = p.channels / p.group;
  args.pool.parallel_for(p.batch * groups, [&](std::int64_t task) {
    const std::int64_t c = task % groups * p.group;
    const std::int64_t at = task / groups * p.pixels * p.channels + c;
    run_group(p, args.input<T>(0) + at, args.output<T>(0) + at,
              p.scaled ? args.input<T>(1) + c : nullptr, p.biased ? args.input<T>(2) + c : nullptr);
  });
}

/// A strip of whole groups of one image, all pixels, row by row: sums a channel, then squares about
/// the mean (the result is where x - mean lies meanwhile), then scale and shift.
class FloatGroupNorm final : public Kernel {
 public:
  explicit FloatGroupNorm(const Plan& plan)
      : p_(plan),
        strip_(std::max<std::int64_t>(1, kStripChannels / plan.group) * plan.group),
        strips_((plan.channels + strip_ - 1) / strip_) {}

  /// Two floats and a double a channel of each image.
  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(p_.batch * p_.channels) * (sizeof(double) + 2 * sizeof(float));
  }
  bool can_overwrite(int input, int) const noexcept override { return input == 0; }

  Status run(const RunArgs& args) noexcept override {
    const std::int64_t all = p_.batch * p_.channels;
    auto* totals = static_cast<double*>(args.workspace);
    auto* scratch = reinterpret_cast<float*>(totals + all);
    args.pool.parallel_for(p_.batch * strips_, [&](std::int64_t task) {
      const std::int64_t c = task % strips_ * strip_, image = task / strips_;
      const std::int64_t at = image * p_.pixels * p_.channels + c, mine = image * p_.channels + c;
      run_strip(args.input<float>(0) + at, args.output<float>(0) + at, c, totals + mine,
                scratch + mine, scratch + all + mine, args);
    });
    return {};
  }

 private:
  static constexpr std::int64_t kStripChannels = 64;
  static constexpr std::int64_t kRows = 64;  ///< pixels that floats add up before doubles take over

  /// totals[c] = sum over pixels of fold(x).
  void fold(cpu::RowFold f, const float* x, std::int64_t columns, double* totals,
            float* block) const {
    std::fill_n(totals, columns, 0.0);
    for (std::int64_t i = 0; i < p_.pixels; i += kRows) {
      std::fill_n(block, columns, 0.0f);
      p_.table->fold_columns[static_cast<int>(f)](x + i * p_.channels, p_.channels,
                                                  std::min(kRows, p_.pixels - i), columns, block);
      for (std::int64_t c = 0; c < columns; ++c) totals[c] += static_cast<double>(block[c]);
    }
  }

  /// Sum over the group that starts at channel g.
  double group_sum(const double* totals, std::int64_t g) const {
    double sum = 0;
    for (std::int64_t c = 0; c < p_.group; ++c) sum += totals[g + c];
    return sum;
  }

  void run_strip(const float* x, float* y, std::int64_t first, double* totals, float* scale,
                 float* bias, const RunArgs& args) const {
    const std::int64_t columns = std::min(strip_, p_.channels - first);
    const auto count = static_cast<double>(p_.pixels * p_.group);
    const float* centred = x;
    if (!p_.rms) {
      fold(cpu::RowFold::sum, x, columns, totals, scale);
      for (std::int64_t g = 0; g < columns; g += p_.group)
        std::fill_n(bias + g, p_.group, static_cast<float>(group_sum(totals, g) / count));
      const auto subtract = p_.table->binary[static_cast<int>(cpu::RowBinary::sub)];
      for (std::int64_t i = 0; i < p_.pixels; ++i)
        subtract(x + i * p_.channels, 1, bias, 1, y + i * p_.channels, columns);
      centred = y;
    }
    fold(cpu::RowFold::sum_square, centred, columns, totals, scale);
    for (std::int64_t g = 0; g < columns; g += p_.group) {
      const double factor = 1 / std::sqrt(group_sum(totals, g) / count + p_.epsilon);
      for (std::int64_t c = g; c < g + p_.group; ++c) {
        scale[c] =
            static_cast<float>(factor) * (p_.scaled ? args.input<float>(1)[first + c] : 1.0f);
        bias[c] = p_.biased ? args.input<float>(2)[first + c] : 0.0f;
      }
    }
    for (std::int64_t i = 0; i < p_.pixels; ++i)
      p_.table->scale_shift(centred + i * p_.channels, scale, bias, y + i * p_.channels, columns);
  }

  Plan p_;
  std::int64_t strip_, strips_;
};

class GenericGroupNorm final : public Kernel {
 public:
  GenericGroupNorm(const Plan& plan, void (*how)(const Plan&, const RunArgs&))
      : plan_(plan), run_(how) {}
  bool can_overwrite(int input, int) const noexcept override { return input == 0; }
  Status run(const RunArgs& args) noexcept override {
    run_(plan_, args);
    return {};
  }

 private:
  Plan plan_;
  void (*run_)(const Plan&, const RunArgs&);
};

}  // namespace

KernelPtr make_group_norm_cpu(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::NormAttrs>();
  const Shape& shape = spec.input(0).shape;
  const std::int64_t channels = shape.back();
  const Plan plan{shape[0],
                  shape.elements(1, shape.rank() - 1),
                  channels,
                  std::max<std::int64_t>(1, channels / attrs.groups()),
                  static_cast<double>(attrs.epsilon()),
                  attrs.rms(),
                  spec.node.has_input(1),
                  spec.node.has_input(2),
                  &spec.table.rows};
  if (spec.input(0).dtype == DType::float32) return make_kernel<FloatGroupNorm>(spec.memory, plan);
  return make_kernel<GenericGroupNorm>(
      spec.memory, plan, dispatch(spec.node, spec.input(0).dtype, FloatTypes{}, [](auto type) {
        return &run_groups<typename decltype(type)::type>;
      }));
}

}  // namespace skiff
