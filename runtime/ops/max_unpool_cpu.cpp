#include <cstring>

#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// Puts every element at its index, counted as ONNX does over [N, C, spatial...]; the rest is zero.
/// Serial: where indices repeat, the last element stays, as in the order of the input.
class MaxUnpool final : public Kernel {
 public:
  explicit MaxUnpool(const KernelSpec& spec)
      : batch_(spec.output(0).shape[0]),
        channels_(spec.output(0).shape.back()),
        in_pixels_(spec.input(0).shape.elements(1, spec.input(0).shape.rank() - 1)),
        out_pixels_(spec.output(0).shape.elements(1, spec.output(0).shape.rank() - 1)) {
    scatter_ = dispatch(spec.node, dtype_of_size(spec.input(0).dtype), SizeTypes{}, [](auto type) {
      return Scatter([](const MaxUnpool& self, const RunArgs& args) {
        return self.scatter<typename decltype(type)::type>(args);
      });
    });
  }

  Status run(const RunArgs& args) noexcept override { return scatter_(*this, args); }

 private:
  using Scatter = Status (*)(const MaxUnpool& self, const RunArgs& args);

  template <typename T>
  Status scatter(const RunArgs& args) const noexcept {
    const std::int64_t total = batch_ * channels_ * out_pixels_;
    std::memset(args.outputs[0], 0, static_cast<std::size_t>(total) * sizeof(T));
    const std::int64_t* indices = args.input<std::int64_t>(1);
    const std::int64_t count = batch_ * in_pixels_ * channels_;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t at = indices[i];
      if (at < 0 || at >= total)
        return {ErrorCode::bad_value, "max_unpool: an index lies outside the output"};
      const std::int64_t pixel = at % out_pixels_, plane = at / out_pixels_;
      const std::int64_t image = plane / channels_, channel = plane % channels_;
      args.output<T>(0)[(image * out_pixels_ + pixel) * channels_ + channel] = args.input<T>(0)[i];
    }
    return {};
  }

  std::int64_t batch_, channels_, in_pixels_, out_pixels_;
  Scatter scatter_ = nullptr;
};

}  // namespace

KernelPtr make_max_unpool_cpu(const KernelSpec& spec) {
  return make_kernel<MaxUnpool>(spec.memory, spec);
}

}  // namespace skiff
