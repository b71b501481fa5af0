#pragma once

#include "runtime/ops/dispatch.h"
#include "runtime/ops/elementwise.h"
#include "runtime/ops/kernel.h"
#include "runtime/ops/strided.h"

namespace skiff {

using ScaleTypes = Types<float, Float16, BFloat16>;
using QuantizedTypes = Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t>;

/// How the elements of quantize's and dequantize's operand find their scale: walked as rows of
/// `length` elements, row r with the entries from base(r) on, an entry an element (step 1) or one
/// for all of them (step 0).
struct ScaleRows {
  std::int64_t rows = 1;
  std::int64_t length = 0;
  std::int64_t step = 0;

  static ScaleRows of(const Shape& x, const Shape& scale, const fb::QuantizeAttrs& attrs) noexcept;
  std::int64_t base(std::int64_t row) const noexcept;

  /// Calls f(element, entry, count) for runs that together are all elements: `count` of them from
  /// `element` on, their scales from `entry` on.
  template <typename F>
  void for_runs(const RunArgs& args, F&& f) const noexcept {
    const std::int64_t pieces = ceil_div(length, kRunElements);
    const std::int64_t grain = grain_for(2 * std::min(length, kRunElements));
    parallel_chunks(args, rows * pieces, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = i / pieces, from = i % pieces * kRunElements;
        f(row * length + from, base(row) + from * step, std::min(kRunElements, length - from));
      }
    });
  }

 private:
  std::int64_t extent_ = 1, block_ = 1, blocks_ = 1, inner_ = 0;  // inner_ 0: one scale for all
};

/// The kernel of quantize and dequantize. Operator names the types of operand and result as lists
/// From and To, the zero point's as Zero<X, Y>, and has row(x, scale, zero, step, y, count) for a
/// row of elements: step 0 is one scale for all of it, zero may be null.
template <typename Operator>
class ScaledKernel final : public Kernel {
 public:
  ScaledKernel(const KernelSpec& spec, const fb::QuantizeAttrs& attrs)
      : plan_{ScaleRows::of(spec.input(0).shape, spec.input(1).shape, attrs),
              spec.node.has_input(2)},
        empty_(spec.input(0).elements() == 0) {
    run_ = dispatch(spec.node, spec.input(0).dtype, typename Operator::From{}, [&](auto x) {
      return dispatch(spec.node, spec.input(1).dtype, ScaleTypes{}, [&](auto s) {
        return dispatch(spec.node, spec.output(0).dtype, typename Operator::To{}, [&](auto y) {
          return &run_rows<typename decltype(x)::type, typename decltype(s)::type,
                           typename decltype(y)::type>;
        });
      });
    });
  }

  Status run(const RunArgs& args) noexcept override {
    if (!empty_) run_(plan_, args);
    return {};
  }

 private:
  struct Plan {
    ScaleRows rows;
    bool zeros;
  };

  template <typename X, typename S, typename Y>
  static void run_rows(const Plan& p, const RunArgs& args) {
    using Zero = typename Operator::template Zero<X, Y>;
    const Zero* zero = p.zeros ? args.input<Zero>(2) : nullptr;
    p.rows.for_runs(args, [&](std::int64_t at, std::int64_t entry, std::int64_t count) {
      Operator::row(args.input<X>(0) + at, args.input<S>(1) + entry,
                    zero == nullptr ? nullptr : zero + entry, p.rows.step, args.output<Y>(0) + at,
                    count);
    });
  }

  Plan plan_;
  bool empty_;
  void (*run_)(const Plan&, const RunArgs&) = nullptr;
};

}  // namespace skiff
