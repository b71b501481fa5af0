#include <skiff_device/launch.h>

#include "runtime/cuda/broadcast.cuh"
#include "runtime/cuda/elementwise.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;
using Function = fb::BinaryFunction;

template <typename T>
__device__ bool compare(Function f, T a, T b) {
  switch (f) {
    case Function::equal:
      return a == b;
    case Function::not_equal:
      return a != b;
    case Function::less:
      return a < b;
    case Function::less_equal:
      return a <= b;
    case Function::greater:
      return a > b;
    default:
      return a >= b;
  }
}

template <typename T>
__global__ void combine_elements(Function f, Activation activation, Broadcast<2> operands,
                                 unsigned count, const T* a, const T* b, T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  unsigned from[2];
  operands.locate(static_cast<unsigned>(i), from);
  const float value = combine(f, to_float(a[from[0]]), to_float(b[from[1]]));
  y[i] = from_float<T>(apply_fused(activation, value));
}

/// Floats of any width are compared as float, integers as they are.
template <typename T>
__device__ auto comparable(T value) {
  if constexpr (std::is_integral_v<T>) {
    return value;
  } else {
    return to_float(value);
  }
}

template <typename T>
__global__ void compare_elements(Function f, Broadcast<2> operands, unsigned count, const T* a,
                                 const T* b, bool* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  unsigned from[2];
  operands.locate(static_cast<unsigned>(i), from);
  y[i] = compare(f, comparable(a[from[0]]), comparable(b[from[1]]));
}

bool compares(Function f) { return f >= Function::equal && f <= Function::greater_equal; }

template <typename F>
void dispatch_comparable(DType dtype, F&& f) {
  if (dtype == DType::int32) return f(std::type_identity<std::int32_t>{});
  if (dtype == DType::int64) return f(std::type_identity<std::int64_t>{});
  dispatch_float(dtype, std::forward<F>(f));
}

class Binary final : public Kernel {
 public:
  explicit Binary(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype),
        operands_({spec.input(0).shape, spec.input(1).shape}, spec.output(0).shape),
        count_(static_cast<unsigned>(narrow(spec.output(0).elements()))) {
    const auto& attrs = spec.node.attrs<fb::BinaryAttrs>();
    function_ = attrs.function();
    activation_ = {attrs.activation(), attrs.alpha(), attrs.beta()};
    if (function_ > Function::greater_equal) refuse("no GPU kernel for this function");
    if (spec.input(1).dtype != dtype_) refuse("operands of two types");
    if (compares(function_))
      dispatch_comparable(dtype_, [](auto) {});
    else
      dispatch_float(dtype_, [](auto) {});
    for (int i = 0; i < 2; ++i)
      overwrites_[i] = spec.input(i).shape == spec.output(0).shape && !compares(function_);
  }

  bool can_overwrite(int input) const noexcept override { return overwrites_[input]; }
  const char* algorithm() const noexcept override { return "pointwise"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    const unsigned blocks = blocks_for(count_, kThreads);
    if (compares(function_)) {
      dispatch_comparable(dtype_, [&](auto type) {
        using T = typename decltype(type)::type;
        check(Launch<compare_elements<T>>::run(blocks, kThreads, args.stream(), function_,
                                               operands_, count_, args.input<T>(0),
                                               args.input<T>(1), args.output<bool>(0)),
              "comparison");
      });
      return;
    }
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<combine_elements<T>>::run(blocks, kThreads, args.stream(), function_,
                                             activation_, operands_, count_, args.input<T>(0),
                                             args.input<T>(1), args.output<T>(0)),
            "binary");
    });
  }

 private:
  DType dtype_;
  Function function_ = Function::add;
  Activation activation_;
  Broadcast<2> operands_;
  unsigned count_;
  bool overwrites_[2] = {};
};

}  // namespace

KernelPtr make_binary(const KernelSpec& spec) { return make_kernel<Binary>(spec.memory, spec); }

}  // namespace skiff::cuda
