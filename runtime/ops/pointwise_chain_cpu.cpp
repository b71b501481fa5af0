#include <algorithm>
#include <cstring>

#include "runtime/core/checked.h"
#include "runtime/cpu/kernel_table.h"
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
/// Rows in a block where an operand has another place for each.
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

/// The rows of an operand follow each other, or are all the same number.
bool in_a_row(const ChainLoop& loop, int operand) noexcept {
  std::int64_t step = loop.inner_stride(operand);
  for (int axis = loop.rank - 1; axis >= 0; step *= loop.extents[at(axis)], --axis)
    if (loop.strides[at(operand)][at(axis)] != step) return false;
  return true;
}

/// One row of an operand serves all, a bias of channels. Where rows are short a block's worth of
/// copies makes of it an operand whose rows follow each other.
bool repeats(const ChainLoop& loop, int operand) noexcept {
  for (int axis = 0; axis + 1 < loop.rank; ++axis)
    if (loop.strides[at(operand)][at(axis)] != 0) return false;
  return loop.rank > 1 && loop.inner_stride(operand) == 1;
}

/// A step as functions of rows. Operands are numbered as in PointwiseChain, but that scratch blocks
/// stand in place of the steps' results.
struct RowStep {
  BinaryRows binary;  ///< its `run` is null in a unary step
  UnaryRun unary;     ///< what follows a binary function, or none
  int a = 0, b = 0;
  int to = kOutput;    ///< or the number of a scratch block
  bool whole = false;  ///< one call for all rows of a block
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
      : ChainKernel(spec, spec.node.attrs<PointwiseChain>()) {}
  ChainKernel(const KernelSpec& spec, const PointwiseChain& chain)
      : table_(spec.table),
        loop_(loop_of_chain(chain.operands(spec.node), spec.output(0).shape)),
        threads_(spec.threads),
        dtype_(chain.computes_in(spec.node)),
        size_(static_cast<std::int64_t>(size_of(dtype_))),
        result_size_(static_cast<std::int64_t>(size_of(spec.output(0).dtype))) {
    inputs_ = chain.inputs;
    for (int i = 0; i < inputs_; ++i)
      stored_[i] = {chain.stored[i], spec.input(i).dtype == DType::int8};
    result_ = {chain.result, spec.output(0).dtype == DType::int8};
    count_ = chain.count;
    reserve_tiles(spec.widest());
    choose_block();
    Places places(chain);
    for (int s = 0; s < count_; ++s) add_step(spec, chain, s, places);
    tiles_begin_ = places.count();
    blocks_ += places.count();
    for (int i = 0; i < inputs_; ++i)
      overwrites_[i] = spec.input(i).shape == spec.output(0).shape &&
                       spec.input(i).dtype == spec.output(0).dtype;
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(blocks_ * threads_ * block_bytes());
  }
  bool can_overwrite(int input, int) const noexcept override {
    return input < inputs_ && overwrites_[input];
  }
  const char* algorithm() const noexcept override { return "pointwise chain"; }

  Status run(const RunArgs& args) noexcept override {
    if (loop_.rows() * loop_.inner() == 0) return {};
    const std::int64_t items = (loop_.rows() + rows_ - 1) / rows_ * pieces_;
    const std::int64_t grain = grain_for(cost_ * std::min(kBlock, rows_ * loop_.inner()));
    args.pool.parallel_for((items + grain - 1) / grain, [&](std::int64_t task, int thread) {
      auto* scratch = static_cast<std::byte*>(args.workspace) + thread * blocks_ * block_bytes();
      fill_tiles(args, scratch);
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
    /// Where each row of each input begins; the first row's where no step goes row by row.
    const std::byte* from[kMaxRows][kMaxInputs];
  };
  enum class Operand : std::uint8_t { in_a_row, repeated, by_rows, integers };
  /// A tensor of 8-bit integers, where it has a scale.
  struct Integers {
    PointwiseChain::Scale at = {};
    bool is_signed = false;

    explicit operator bool() const noexcept { return at.scale != 0; }
    float scale(const RunArgs& args) const noexcept { return *args.input<float>(at.scale); }
    std::int32_t zero(const RunArgs& args) const noexcept {
      if (at.zero == 0) return 0;
      return is_signed ? *args.input<std::int8_t>(at.zero) : *args.input<std::uint8_t>(at.zero);
    }
  };

  /// For integers, and for operands that may repeat at some sizes: the scratch of no sizes is more
  /// than that of the largest.
  void reserve_tiles(const NodeView& widest) {
    TensorInfo result;
    pointwise_chain_op().infer(widest, {&result, 1});
    const ChainLoop largest =
        loop_of_chain(widest.attrs<PointwiseChain>().operands(widest), result.shape);
    for (int i = 0; i < inputs_; ++i)
      tiles_[i] = in_a_row(largest, i) && !stored_[i] ? -1 : blocks_++;
  }

  /// As many rows as fill a block.
  void choose_block() {
    const std::int64_t inner = loop_.inner();
    pieces_ = (inner + kBlock - 1) / kBlock;
    if (inner > 0) rows_ = std::max<std::int64_t>(kBlock / inner, 1);
    for (int i = 0; i < inputs_; ++i) {
      const bool tile = rows_ > 1 && tiles_[i] >= 0 && repeats(loop_, i);
      operands_[i] = stored_[i]           ? Operand::integers
                     : in_a_row(loop_, i) ? Operand::in_a_row
                     : tile               ? Operand::repeated
                                          : Operand::by_rows;
      by_rows_ = by_rows_ || operands_[i] == Operand::by_rows;
    }
    if (by_rows_) rows_ = std::min(rows_, kMaxRows);
  }

  std::byte* tile(std::byte* scratch, int input) const noexcept {
    return scratch + (tiles_begin_ + tiles_[input]) * block_bytes();
  }

  void fill_tiles(const RunArgs& args, std::byte* scratch) const noexcept {
    const auto row = static_cast<std::size_t>(loop_.inner() * size_);
    const std::size_t all = row * static_cast<std::size_t>(std::min(rows_, loop_.rows()));
    for (int i = 0; i < inputs_; ++i) {
      if (operands_[i] != Operand::repeated) continue;
      std::byte* to = tile(scratch, i);
      std::memcpy(to, args.input<std::byte>(i), row);
      for (std::size_t done = row; done < all; done *= 2)
        std::memcpy(to + done, to, std::min(done, all - done));
    }
  }

  std::int64_t block_bytes() const noexcept {
    const std::int64_t elements = loop_.rows() * loop_.inner();
    return round_up(std::min(elements, kBlock) * size_, 64);
  }

  void add_step(const KernelSpec& spec, const PointwiseChain& chain, int s, Places& places) {
    const PointwiseChain::Step& step = chain.steps[s];
    RowStep& made = steps_[s];
    const bool binary = step.binary != 0;
    const int a = step.a - inputs_, b = binary ? step.b - inputs_ : -1;  // results of steps
    made.a = a < 0 ? step.a : inputs_ + places.of(a);
    made.b = b < 0 ? step.b : inputs_ + places.of(b);
    const auto whole = [&](int o) { return o >= inputs_ || operands_[o] != Operand::by_rows; };
    made.whole = whole(made.a) && (!binary || whole(made.b));
    if (s + 1 < count_ || result_) made.to = places.take(s, {a, b});
    if (binary)
      made.binary = choose_rows(spec.node, static_cast<fb::BinaryFunction>(step.function), dtype_,
                                dtype_, spec.table);
    const auto unary = static_cast<fb::UnaryFunction>(binary ? step.activation : step.function);
    if (unary != fb::UnaryFunction::none)
      made.unary = make_unary_run(spec.node, unary, step.alpha, step.beta, dtype_, spec.table);
    cost_ += (binary ? made.binary.cost : 0) + (made.unary ? made.unary.cost() : 0);
  }

  void run_block(const RunArgs& args, std::byte* scratch, std::int64_t row,
                 std::int64_t column) const noexcept {
    Block block;
    block.rows = std::min(rows_, loop_.rows() - row);
    block.columns = std::min(kBlock, loop_.inner() - column);
    block.scratch = scratch;
    const std::int64_t first = row * loop_.inner() + column;
    block.output = args.output<std::byte>(0) + first * result_size_;
    dequantize(args, block, first);
    Odometer<kMaxInputs> at_row(loop_, row);
    for (std::int64_t r = 0; r < (by_rows_ ? block.rows : 1); ++r, at_row.next())
      for (int i = 0; i < inputs_; ++i)
        block.from[r][i] = operands_[i] == Operand::repeated || operands_[i] == Operand::integers
                               ? tile(scratch, i) + r * block.columns * size_
                               : args.input<std::byte>(i) +
                                     (at_row.offset(i) + column * loop_.inner_stride(i)) * size_;
    for (int s = 0; s < count_; ++s) {
      const RowStep& step = steps_[s];
      if (step.whole)
        run_step(step, block, 0, block.rows * block.columns);
      else
        for (std::int64_t r = 0; r < block.rows; ++r) run_step(step, block, r, block.columns);
    }
    if (result_)
      table_.quantize(reinterpret_cast<const float*>(place(block, steps_[count_ - 1].to)),
                      result_.scale(args), result_.zero(args), result_.is_signed,
                      reinterpret_cast<std::uint8_t*>(block.output), block.rows * block.columns);
  }

  /// The block's part of the operands that are integers; it begins with element `first`.
  void dequantize(const RunArgs& args, const Block& block, std::int64_t first) const noexcept {
    for (int i = 0; i < inputs_; ++i)
      if (const Integers& x = stored_[i])
        table_.dequantize(args.input<std::uint8_t>(i) + first, x.is_signed, x.scale(args),
                          x.zero(args), reinterpret_cast<float*>(tile(block.scratch, i)),
                          block.rows * block.columns);
  }

  std::byte* place(const Block& block, int number) const noexcept {
    return block.scratch + number * block_bytes();
  }

  /// `count` elements from the beginning of row `r` on.
  void run_step(const RowStep& step, const Block& block, std::int64_t r,
                std::int64_t count) const noexcept {
    const std::int64_t before = r * block.columns * size_;
    const auto operand = [&](int o) -> const std::byte* {
      return o < inputs_ ? block.from[r][o] : place(block, o - inputs_) + before;
    };
    const auto advance = [&](int o) { return o < inputs_ ? loop_.inner_stride(o) : 1; };
    std::byte* const y = (step.to == kOutput ? block.output : place(block, step.to)) + before;
    if (step.binary.run == nullptr) return step.unary(operand(step.a), y, count);
    step.binary.run(step.binary, operand(step.a), advance(step.a), operand(step.b), advance(step.b),
                    y, count);
    if (step.unary) step.unary(y, y, count);
  }

  const cpu::KernelTable& table_;
  ChainLoop loop_;
  Integers stored_[kMaxInputs], result_;
  RowStep steps_[kMaxSteps];
  int inputs_ = 0, count_ = 0;
  int threads_;
  DType dtype_;        // the steps compute in
  std::int64_t size_;  // bytes an element of that
  std::int64_t result_size_;
  std::int64_t blocks_ = 0;  // of scratch, a thread
  std::int64_t rows_ = 1;    // of a block
  std::int64_t pieces_ = 1;  // of a row
  std::int64_t cost_ = 0;
  Operand operands_[kMaxInputs] = {};
  std::int64_t tiles_[kMaxInputs] = {};  // which of the scratch blocks for repeated operands
  std::int64_t tiles_begin_ = 0;         // the first of those
  bool by_rows_ = false;                 // some step goes row by row
  bool overwrites_[kMaxInputs] = {};
};

}  // namespace

bool chain_has_long_rows(std::span<const TensorInfo* const> inputs, const Shape& result) noexcept {
  const ChainLoop loop = loop_of_chain(inputs, result);
  if (loop.inner() >= PointwiseChain::kLongRow) return true;
  for (int i = 0; i < static_cast<int>(inputs.size()); ++i)
    if (!in_a_row(loop, i) && !repeats(loop, i)) return false;
  return true;
}

KernelPtr make_pointwise_chain_cpu(const KernelSpec& spec) {
  return make_kernel<ChainKernel>(spec.memory, spec);
}

}  // namespace skiff
