#include <algorithm>
#include <cmath>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"

namespace skiff {
namespace {

struct Plan {
  std::int64_t pixels, channels;
  std::int64_t before, after;  ///< channels of the window besides the middle one
  double factor, beta, bias;   ///< y = x / (bias + factor * sum of squares) ^ beta
  const cpu::RowTable* table;
};

/// One pixel of any float type, in double.
template <typename T>
void run_pixel(const Plan& p, const T* x, T* y) {
  for (std::int64_t c = 0; c < p.channels; ++c) {
    const std::int64_t begin = c - std::min(c, p.before);
    const std::int64_t end = c + std::min(p.channels - 1 - c, p.after);
    double sum = 0;
    for (std::int64_t i = begin; i <= end; ++i) {
      const auto v = static_cast<double>(load(x[i]));
      sum += v * v;
    }
    const double v = static_cast<double>(load(x[c])) / std::pow(p.bias + p.factor * sum, p.beta);
    y[c] = T(static_cast<Compute<T>>(v));
  }
}

template <typename T>
void run_pixels(const Plan& p, const RunArgs& args) {
  parallel_chunks(
      args, p.pixels, grain_for(p.channels * 32), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
          run_pixel(p, args.input<T>(0) + i * p.channels, args.output<T>(0) + i * p.channels);
      });
}

constexpr std::int64_t kBlock = 256;  ///< channels worked on together
constexpr std::int64_t kReach = 16;   ///< the widest window beside them

/// Channels [first, first + n) of one float pixel. The power is exp(-beta log v), for beta = 3/4
/// two square roots.
void run_block(const Plan& p, const float* x, float* y, std::int64_t first, std::int64_t n) {
  const auto binary = [&](cpu::RowBinary f) { return p.table->binary[static_cast<int>(f)]; };
  const auto unary = [&](cpu::RowUnary f) { return p.table->unary[static_cast<int>(f)]; };
  float squares[kBlock + 2 * kReach] = {}, sum[kBlock], root[kBlock];
  const std::int64_t begin = first - std::min(first, p.before);
  const std::int64_t end = std::min(p.channels, first + n + p.after);
  unary(cpu::RowUnary::square)(x + begin, squares + (p.before - (first - begin)), end - begin);
  std::fill_n(sum, n, 0.0f);
  for (std::int64_t i = 0; i <= p.before + p.after; ++i)
    binary(cpu::RowBinary::add)(sum, 1, squares + i, 1, sum, n);
  const auto factor = static_cast<float>(p.factor), bias = static_cast<float>(p.bias);
  binary(cpu::RowBinary::mul)(sum, 1, &factor, 0, sum, n);
  binary(cpu::RowBinary::add)(sum, 1, &bias, 0, sum, n);
  if (p.beta == 0.75) {
    unary(cpu::RowUnary::sqrt)(sum, sum, n);
    unary(cpu::RowUnary::sqrt)(sum, root, n);
    binary(cpu::RowBinary::mul)(sum, 1, root, 1, sum, n);
    binary(cpu::RowBinary::div)(x + first, 1, sum, 1, y + first, n);
    return;
  }
  const auto exponent = static_cast<float>(-p.beta);
  unary(cpu::RowUnary::log)(sum, sum, n);
  binary(cpu::RowBinary::mul)(sum, 1, &exponent, 0, sum, n);
  unary(cpu::RowUnary::exp)(sum, sum, n);
  binary(cpu::RowBinary::mul)(x + first, 1, sum, 1, y + first, n);
}

void run_blocks(const Plan& p, const RunArgs& args) {
  parallel_chunks(
      args, p.pixels, grain_for(p.channels * 16), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
          for (std::int64_t c = 0; c < p.channels; c += kBlock)
            run_block(p, args.input<float>(0) + i * p.channels,
                      args.output<float>(0) + i * p.channels, c, std::min(kBlock, p.channels - c));
      });
}

class LrnKernel final : public Kernel {
 public:
  LrnKernel(const KernelSpec& spec, const fb::LrnAttrs& attrs) {
    const Shape& shape = spec.input(0).shape;
    const std::int64_t channels = shape.back(), size = attrs.size();
    plan_ = {shape.elements(0, shape.rank() - 1),
             channels,
             std::min(channels, (size - 1) / 2),
             std::min(channels, size / 2),
             static_cast<double>(attrs.alpha()) / static_cast<double>(size),
             static_cast<double>(attrs.beta()),
             static_cast<double>(attrs.bias()),
             &spec.table.rows};
    const bool fast = spec.input(0).dtype == DType::float32 && plan_.after <= kReach &&
                      attrs.alpha() >= 0 && attrs.bias() > 0;
    run_ = fast ? run_blocks
                : dispatch(spec.node, spec.input(0).dtype, FloatTypes{},
                           [](auto type) { return &run_pixels<typename decltype(type)::type>; });
  }

  Status run(const RunArgs& args) noexcept override {
    if (plan_.channels > 0) run_(plan_, args);
    return {};
  }

 private:
  Plan plan_{};
  void (*run_)(const Plan&, const RunArgs&) = nullptr;
};

}  // namespace

KernelPtr make_lrn_cpu(const KernelSpec& spec) {
  return make_kernel<LrnKernel>(spec.memory, spec, spec.node.attrs<fb::LrnAttrs>());
}

}  // namespace skiff
