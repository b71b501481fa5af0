#pragma once

#include <algorithm>

#include "runtime/ops/convert.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/elementwise.h"
#include "runtime/ops/half_block.h"
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
  /// What base() is made of; inner 0: one scale for all.
  std::int64_t extent = 1, block = 1, blocks = 1, inner = 0;

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
};

/// Elements of any type that quantize and dequantize take, as floats or from floats: a block at a
/// time, in place where they are floats already.
class FloatBlocks {
 public:
  static constexpr std::int64_t kMost = kHalfBlock;
  using Block = float[kMost];

  static FloatBlocks from(const NodeView& node, DType dtype) {
    return FloatBlocks(node, dtype, dtype, DType::float32);
  }
  static FloatBlocks to(const NodeView& node, DType dtype) {
    return FloatBlocks(node, dtype, DType::float32, dtype);
  }

  /// Elements [at, at + count) of an operand; `count` <= kMost.
  const float* read(const void* operand, std::int64_t at, std::int64_t count,
                    Block& block) const noexcept {
    if (convert_ == nullptr) return static_cast<const float*>(operand) + at;
    convert_(static_cast<const std::byte*>(operand) + at * size_, block, count);
    return block;
  }
  /// Where `count` floats of a result are to be written; then written() moves them there.
  float* begin(void* result, std::int64_t at, Block& block) const noexcept {
    return convert_ == nullptr ? static_cast<float*>(result) + at : block;
  }
  void written(void* result, std::int64_t at, std::int64_t count,
               const Block& block) const noexcept {
    if (convert_ != nullptr) convert_(block, static_cast<std::byte*>(result) + at * size_, count);
  }

 private:
  FloatBlocks(const NodeView& node, DType stored, DType from, DType to)
      : convert_(from == to ? nullptr : find_convert(node, from, to)),
        size_(static_cast<std::int64_t>(size_of(stored))) {}

  Convert convert_ = nullptr;
  std::int64_t size_ = 0;
};

/// The kernel of quantize and dequantize. Operator has the integer side's types as the list
/// Integers, and block<Q>(table, args, floats, at, count, scale, zero, step) for at most
/// FloatBlocks::kMost elements: step 0 is one scale for all of them, zero may be null.
template <typename Operator>
class ScaledKernel final : public Kernel {
 public:
  ScaledKernel(const KernelSpec& spec, const fb::QuantizeAttrs& attrs)
      : plan_{.table = spec.table,
              .rows = ScaleRows::of(spec.input(0).shape, spec.input(1).shape, attrs),
              .zeros = spec.node.has_input(2),
              .floats = Operator::floats(spec),
              .scales = FloatBlocks::from(spec.node, spec.input(1).dtype)},
        empty_(spec.input(0).elements() == 0),
        run_(dispatch(spec.node, Operator::integer(spec), typename Operator::Integers{},
                      [](auto type) { return &run_rows<typename decltype(type)::type>; })) {}

  Status run(const RunArgs& args) noexcept override {
    if (!empty_) run_(plan_, args);
    return {};
  }

 private:
  struct Plan {
    const cpu::KernelTable& table;
    ScaleRows rows;
    bool zeros;
    FloatBlocks floats, scales;
  };

  template <typename Q>
  static void run_rows(const Plan& p, const RunArgs& args) {
    p.rows.for_runs(args, [&](std::int64_t at, std::int64_t entry, std::int64_t count) {
      for (std::int64_t i = 0; i < count; i += FloatBlocks::kMost) {
        const std::int64_t n = std::min(FloatBlocks::kMost, count - i);
        const std::int64_t first = entry + i * p.rows.step;
        FloatBlocks::Block block;
        const float* scale = p.scales.read(args.inputs[1], first, p.rows.step == 0 ? 1 : n, block);
        Operator::template block<Q>(p.table, args, p.floats, at + i, n, scale,
                                    p.zeros ? args.input<Q>(2) + first : nullptr, p.rows.step);
      }
    });
  }

  Plan plan_;
  bool empty_;
  void (*run_)(const Plan&, const RunArgs&);
};

}  // namespace skiff
