#include <algorithm>

#include "runtime/core/checked.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/binary_rows.h"
#include "runtime/ops/kernel.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/pointwise_chain.h"
#include "runtime/ops/strided.h"
#include "runtime/ops/unary_run.h"

namespace skiff {
namespace {

constexpr int kMaxInputs = PointwiseChain::kMaxInputs, kMaxSteps = PointwiseChain::kMaxSteps;

/// Elements that all steps are computed for before the next ones: operands, intermediate results
/// and result of a step stay in the first-level cache.
constexpr std::int64_t kBlock = 2048;
/// Rows in a block of shorter ones.
constexpr std::int64_t kMaxRows = kBlock / PointwiseChain::kLongRow;

constexpr int kOutput = -1;

/// The walk over a chain's result; operands that are not there are scalars.
using ChainLoop = StridedLoop<kMaxInputs>;
ChainLoop loop_of_chain(std::span<const TensorInfo* const> inputs, const Shape& result) noexcept {
  std::array<Strides, PointwiseChain::kMaxInputs> strides{};
  for (std::size_t i = 0; i < inputs.size(); ++i)
    strides[i] = broadcast_strides(inputs[i]->shape, result);
  return ChainLoop(result, strides);
}

/// A step as functions of rows. Operands are numbered as in PointwiseChain, but that scratch blocks
/// stand in place of the steps' results.
struct RowStep {
  BinaryRows binary;  ///< its `run` is null in a unary step
  UnaryRun unary;     ///< what follows a binary function, or none
  int a = 0, b = 0;
  int to = kOutput;    ///< or the number of a scratch block
  bool whole = false;  ///< operands of all rows of a block follow each other
};

/// Places for the steps' results: each has one until its last reader, who may write over it.
class Places {
 public:
  explicit Places(const PointwiseChain& chain) {
    for (int s = 0; s < chain.count; ++s)
      for (int operand : {chain.steps[s].a, chain.steps[s].b})
        if (operand >= chain.inputs) last_reader_[operand - chain.inputs] = s;
  }

  /// A place for step `s`'s result, whose operands are the results `reads` or other things (< 0).
  int take(int s, std::initializer_list<int> reads) {
    for (int result : reads)
      if (result >= 0 && last_reader_[result] == s) used_[place_[result]] = false;
    const auto free = std::find(used_, used_ + kMaxSteps, false);
    *free = true;
    count_ = std::max(count_, static_cast<int>(free - used_) + 1);
    return place_[s] = static_cast<int>(free - used_);
  }
  int of(int result) const noexcept { return place_[result]; }
  int count() const noexcept { return count_; }

 private:
  int last_reader_[kMaxSteps] = {}, place_[kMaxSteps] = {}, count_ = 0;
  bool used_[kMaxSteps] = {};
};

class ChainKernel final : public Kernel {
 public:
  explicit ChainKernel(const KernelSpec& spec)
      : loop_(loop_of_chain(spec.node.inputs, spec.output(0).shape)),
        threads_(spec.threads),
        size_(static_cast<std::int64_t>(size_of(spec.output(0).dtype))) {
    const auto& chain = spec.node.attrs<PointwiseChain>();
    inputs_ = chain.inputs;
    count_ = chain.count;
    Places places(chain);
    for (int s = 0; s < count_; ++s) add_step(spec, chain, s, places);
    blocks_ = places.count();
    pieces_ = (loop_.inner() + kBlock - 1) / kBlock;
    if (loop_.inner() > 0) rows_ = std::clamp<std::int64_t>(kBlock / loop_.inner(), 1, kMaxRows);
    for (int i = 0; i < inputs_; ++i) overwrites_[i] = spec.input(i).shape == spec.output(0).shape;
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(blocks_ * threads_ * block_bytes());
  }
  bool can_overwrite(int input, int) const noexcept override { return overwrites_[input]; }
  const char* algorithm() const noexcept override { return "pointwise chain"; }

  Status run(const RunArgs& args) noexcept override {
    if (loop_.rows() * loop_.inner() == 0) return {};
    const std::int64_t items = (loop_.rows() + rows_ - 1) / rows_ * pieces_;
    const std::int64_t grain = grain_for(cost_ * std::min(kBlock, rows_ * loop_.inner()));
    args.pool.parallel_for((items + grain - 1) / grain, [&](std::int64_t task, int thread) {
      auto* scratch = static_cast<std::byte*>(args.workspace) + thread * blocks_ * block_bytes();
      const std::int64_t end = std::min(items, (task + 1) * grain);
      for (std::int64_t item = task * grain; item < end; ++item)
        run_block(args, scratch, item / pieces_ * rows_, item % pieces_ * kBlock);
    });
    return {};
  }

 private:
  /// Part of neighbouring rows: all of `rows` short ones, or a piece of a long one.
  struct Block {
    std::int64_t rows, columns;  ///< columns: elements of each
    std::byte* scratch;
    std::byte* output;
    const std::byte* from[kMaxRows][kMaxInputs];  ///< where each row of each input begins
  };

  std::int64_t block_bytes() const noexcept {
    const std::int64_t elements = loop_.rows() * loop_.inner();
    return round_up(std::min(elements, kBlock) * size_, 64);
  }

  void add_step(const KernelSpec& spec, const PointwiseChain& chain, int s, Places& places) {
    const PointwiseChain::Step& step = chain.steps[s];
    const DType dtype = spec.output(0).dtype;
    RowStep& made = steps_[s];
    const bool binary = step.binary != 0;
    const int a = step.a - inputs_, b = binary ? step.b - inputs_ : -1;  // results of steps
    made.a = a < 0 ? step.a : inputs_ + places.of(a);
    made.b = b < 0 ? step.b : inputs_ + places.of(b);
    made.whole = in_a_row(made.a) && (!binary || in_a_row(made.b));
    if (s + 1 < count_) made.to = places.take(s, {a, b});
    if (binary)
      made.binary = choose_rows(spec.node, static_cast<fb::BinaryFunction>(step.function), dtype,
                                dtype, spec.table);
    const auto unary = static_cast<fb::UnaryFunction>(binary ? step.activation : step.function);
    if (unary != fb::UnaryFunction::none)
      made.unary = make_unary_run(spec.node, unary, step.alpha, step.beta, dtype, spec.table);
    cost_ += (binary ? made.binary.cost : 0) + (made.unary ? made.unary.cost() : 0);
  }

  /// The rows of an operand follow each other, or are all the same number.
  bool in_a_row(int operand) const noexcept {
    if (operand >= inputs_) return true;
    std::int64_t step = loop_.inner_stride(operand);
    for (int axis = loop_.rank - 1; axis >= 0; step *= loop_.extents[at(axis)], --axis)
      if (loop_.strides[at(operand)][at(axis)] != step) return false;
    return true;
  }

  void run_block(const RunArgs& args, std::byte* scratch, std::int64_t row,
                 std::int64_t column) const noexcept {
    Block block;
    block.rows = std::min(rows_, loop_.rows() - row);
    block.columns = std::min(kBlock, loop_.inner() - column);
    block.scratch = scratch;
    block.output = args.output<std::byte>(0) + (row * loop_.inner() + column) * size_;
    Odometer<kMaxInputs> at_row(loop_, row);
    for (std::int64_t r = 0; r < block.rows; ++r, at_row.next())
      for (int i = 0; i < inputs_; ++i)
        block.from[r][i] =
            args.input<std::byte>(i) + (at_row.offset(i) + column * loop_.inner_stride(i)) * size_;
    for (int s = 0; s < count_; ++s) {
      const RowStep& step = steps_[s];
      if (step.whole)
        run_step(step, block, 0, block.rows * block.columns);
      else
        for (std::int64_t r = 0; r < block.rows; ++r) run_step(step, block, r, block.columns);
    }
  }

  /// `count` elements from the beginning of row `r` on.
  void run_step(const RowStep& step, const Block& block, std::int64_t r,
                std::int64_t count) const noexcept {
    const std::int64_t before = r * block.columns * size_;
    const auto place = [&](int number) { return block.scratch + number * block_bytes() + before; };
    const auto operand = [&](int o) -> const std::byte* {
      return o < inputs_ ? block.from[r][o] : place(o - inputs_);
    };
    const auto advance = [&](int o) { return o < inputs_ ? loop_.inner_stride(o) : 1; };
    std::byte* const y = step.to == kOutput ? block.output + before : place(step.to);
    if (step.binary.run == nullptr) return step.unary(operand(step.a), y, count);
    step.binary.run(step.binary, operand(step.a), advance(step.a), operand(step.b), advance(step.b),
                    y, count);
    if (step.unary) step.unary(y, y, count);
  }

  ChainLoop loop_;
  RowStep steps_[kMaxSteps];
  int inputs_ = 0, count_ = 0;
  int threads_;
  std::int64_t size_;        // bytes an element
  std::int64_t blocks_ = 0;  // of scratch, a thread
  std::int64_t rows_ = 1;    // of a block
  std::int64_t pieces_ = 1;  // of a row
  std::int64_t cost_ = 0;
  bool overwrites_[kMaxInputs] = {};
};

}  // namespace

bool chain_has_long_rows(std::span<const TensorInfo* const> inputs, const Shape& result) noexcept {
  const ChainLoop loop = loop_of_chain(inputs, result);
  return loop.rank == 1 || loop.inner() >= PointwiseChain::kLongRow;
}

KernelPtr make_pointwise_chain_cpu(const KernelSpec& spec) {
  return make_kernel<ChainKernel>(spec.memory, spec);
}

}  // namespace skiff
