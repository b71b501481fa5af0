#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/cpu/activation.h"
#include "runtime/cpu/packing.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/attention.h"
#include "runtime/ops/convert.h"
#include "runtime/ops/ops.h"

// Scores are never stored as a whole: a block of keys and values is packed, then tiles of queries
// pass over it, keeping of every row the largest score so far and the sum of the exponentials
// relative to it (Milakov and Gimelshein 2018; Dao et al. 2022). The result's rows are the sums
// that grow from block to block.
namespace skiff {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kKeyBlock = 512;   // with its values in the second-level cache
constexpr std::int64_t kTile = 48;        // queries whose scores are worked on at a time
constexpr std::int64_t kWantedTasks = 8;  // where heads are fewer, queries are divided
constexpr std::int64_t kLeastRows = 96;   // of a task: packing must be worth it

constexpr int index_of(cpu::RowBinary f) { return static_cast<int>(f); }

class AttentionKernel : public Kernel {
 public:
  explicit AttentionKernel(const KernelSpec& spec)
      : table_(spec.table), g_(read_attention(spec.node)), threads_(spec.threads) {
    block_ = std::clamp<std::int64_t>(g_.keys, 1, kKeyBlock);
    const std::int64_t lists = std::max<std::int64_t>(1, g_.batches * g_.kv_heads);
    const std::int64_t most = std::max<std::int64_t>(1, g_.queries / kLeastRows);
    const std::int64_t chunks = std::clamp<std::int64_t>(kWantedTasks / lists, 1, most);
    chunk_ = round_up(ceil_div(g_.queries, chunks), kTile);
    chunks_ = ceil_div(g_.queries, std::max<std::int64_t>(1, chunk_));
    keys_ = cpu::choose_layout(table_, kTile, block_, g_.depth);
    values_ = cpu::choose_layout(table_, kTile, g_.width, block_);
    pitch_ = round_up(block_, 16);
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(threads_ * scratch()) * sizeof(float);
  }
  std::int64_t flops() const noexcept override {
    return cpu::work_of({2, g_.batches, g_.heads, g_.queries, g_.keys, g_.depth + g_.width});
  }
  const char* algorithm() const noexcept override { return "tiles of queries, blocks of keys"; }

 protected:
  const AttentionGeometry& geometry() const noexcept { return g_; }

 public:
  Status run(const RunArgs& args) noexcept override {
    if (g_.keys == 0) {
      std::fill_n(args.output<float>(0), g_.batches * g_.heads * g_.queries * g_.width, 0.0f);
      return {};
    }
    args.pool.parallel_for(
        g_.width == 0 ? 0 : g_.batches * g_.kv_heads * chunks_, [&](std::int64_t task, int thread) {
          const std::int64_t list = task / chunks_, begin = task % chunks_ * chunk_;
          Work work{.batch = list / g_.kv_heads,
                    .kv_head = list % g_.kv_heads,
                    .begin = begin,
                    .end = std::min(g_.queries, begin + chunk_)};
          lay_out(static_cast<float*>(args.workspace) + thread * scratch(), work);
          attend(args, work);
        });
    return {};
  }

 private:
  /// Some queries of all heads that share one head of keys, and a thread's scratch.
  struct Work {
    std::int64_t batch = 0, kv_head = 0, begin = 0, end = 0;
    float *keys = nullptr, *values = nullptr, *scores = nullptr;
    float *largest = nullptr, *sums = nullptr;  // of every row of every head
  };

  /// Keys [begin, end), packed.
  struct Block {
    std::int64_t begin, end;
    cpu::PanelLayout keys, values;
    std::int64_t size() const noexcept { return end - begin; }
  };

  /// Room for the state of all queries, whatever their division: more of them never need less.
  std::int64_t state_rows() const noexcept { return g_.group() * round_up(g_.queries, kTile); }
  std::int64_t scratch() const noexcept {
    return round_up(keys_.elements(), 16) + round_up(values_.elements(), 16) + kTile * pitch_ +
           2 * round_up(state_rows(), 16);
  }
  void lay_out(float* at, Work& work) const noexcept {
    work.keys = at;
    work.values = work.keys + round_up(keys_.elements(), 16);
    work.scores = work.values + round_up(values_.elements(), 16);
    work.largest = work.scores + kTile * pitch_;
    work.sums = work.largest + round_up(state_rows(), 16);
  }

  void attend(const RunArgs& args, const Work& work) const noexcept {
    std::fill_n(work.largest, g_.group() * chunk_, kMinusInfinity);
    std::fill_n(work.sums, g_.group() * chunk_, 0.0f);
    const std::int64_t last = g_.causal ? std::min(g_.keys, work.end) : g_.keys;
    for (std::int64_t key = 0; key < last; key += block_) {
      const Block block = pack_keys(args, work, key, std::min(last, key + block_));
      for (std::int64_t head = 0; head < g_.group(); ++head)
        for (std::int64_t row = work.begin; row < work.end; row += kTile)
          pass(args, work, block, head, row, std::min(kTile, work.end - row));
    }
    finish(args, work);
  }

  Block pack_keys(const RunArgs& args, const Work& work, std::int64_t begin,
                  std::int64_t end) const noexcept {
    Block block{begin, end, keys_, values_};
    block.keys.n = block.values.depth = end - begin;
    const float scale = g_.softcap > 0 ? g_.scale / g_.softcap : g_.scale;
    const float* k = args.input<float>(1) + g_.k.at(work.batch, work.kv_head, begin);
    for (std::int64_t panel = 0; panel < block.keys.panels(); ++panel)
      cpu::pack_from_memory(table_, block.keys, panel, k, 1, g_.k.row, scale, work.keys);
    const float* v = args.input<float>(2) + g_.v.at(work.batch, work.kv_head, begin);
    for (std::int64_t panel = 0; panel < block.values.panels(); ++panel)
      cpu::pack_from_memory(table_, block.values, panel, v, g_.v.row, 1, 1, work.values);
    return block;
  }

  /// Tile of `rows` queries from `row` on over a block of keys.
  void pass(const RunArgs& args, const Work& work, const Block& block, std::int64_t head,
            std::int64_t row, std::int64_t rows) const noexcept {
    const std::int64_t h = work.kv_head * g_.group() + head;
    const std::int64_t state = head * chunk_ + row - work.begin;
    cpu::ConvArgs scores;
    scores.input = args.input<float>(0) + g_.q.at(work.batch, h, row);
    scores.weights = work.keys;
    scores.output = work.scores;
    scores.k = g_.depth, scores.n = block.size();
    scores.in_x = g_.q.row, scores.out_x = pitch_;
    scores.vectors = static_cast<std::int32_t>(block.keys.vectors);
    scores.linear = true;
    table_.conv(scores, 0, rows, 0, block.keys.panels());
    float* y = args.output<float>(0) + g_.y.at(work.batch, h, row);
    for (std::int64_t r = 0; r < rows; ++r) {
      float* line = work.scores + r * pitch_;
      const std::int64_t seen = mask(args, line, block, work.batch, h, row + r);
      const float shrink =
          exponentials(line, seen, block.size(), work.largest[state + r], work.sums[state + r]);
      if (block.begin > 0 && shrink != 1)
        table_.rows.binary[index_of(cpu::RowBinary::mul)](y + r * g_.y.row, 1, &shrink, 0,
                                                          y + r * g_.y.row, g_.width);
    }
    cpu::ConvArgs sums;
    sums.input = work.scores;
    sums.weights = work.values;
    sums.output = y;
    sums.residual = block.begin > 0 ? y : nullptr;
    sums.k = block.size(), sums.n = g_.width;
    sums.in_x = pitch_, sums.out_x = g_.y.row;
    sums.vectors = static_cast<std::int32_t>(block.values.vectors);
    sums.linear = true;
    table_.conv(sums, 0, rows, 0, block.values.panels());
  }

  /// Caps and masks a row of scores; how many of its first keys the query sees.
  std::int64_t mask(const RunArgs& args, float* line, const Block& block, std::int64_t batch,
                    std::int64_t head, std::int64_t query) const noexcept {
    const std::int64_t seen =
        g_.causal ? std::clamp<std::int64_t>(query + 1 - block.begin, 0, block.size())
                  : block.size();
    if (g_.softcap > 0) {
      table_.activate({cpu::Activation::tanh, 0, 0}, line, line, seen);
      table_.rows.binary[index_of(cpu::RowBinary::mul)](line, 1, &g_.softcap, 0, line, seen);
    }
    if (!g_.has_mask) return seen;
    const std::int64_t at =
        batch * g_.mask[0] + head * g_.mask[1] + query * g_.mask[2] + block.begin * g_.mask[3];
    if (!g_.mask_is_bool) {
      table_.rows.binary[index_of(cpu::RowBinary::add)](line, 1, args.input<float>(3) + at,
                                                        g_.mask[3], line, seen);
      return seen;
    }
    const auto* kept = args.input<std::uint8_t>(3) + at;
    for (std::int64_t i = 0; i < seen; ++i)
      line[i] = kept[i * g_.mask[3]] != 0 ? line[i] : kMinusInfinity;
    return seen;
  }

  /// Scores become exponentials relative to the largest so far, unseen ones 0. Returns what earlier
  /// sums must be multiplied with.
  float exponentials(float* line, std::int64_t seen, std::int64_t size, float& largest,
                     float& sum) const noexcept {
    const auto here =
        static_cast<float>(table_.rows.fold[static_cast<int>(cpu::RowFold::maximum)](line, seen));
    std::fill_n(line + seen, size - seen, 0.0f);
    if (here == kMinusInfinity) {
      std::fill_n(line, seen, 0.0f);
      return 1;
    }
    const float before = largest;
    largest = here <= before ? before : here;  // a NaN stays
    const float shrink = std::exp(before - largest);
    sum = sum * shrink + table_.rows.exp_sum(line, line, seen, 1, largest);
    return shrink;
  }

  /// Rows that saw nothing become NaN, as softmax has it.
  void finish(const RunArgs& args, const Work& work) const noexcept {
    for (std::int64_t head = 0; head < g_.group(); ++head)
      for (std::int64_t row = work.begin; row < work.end; ++row) {
        float* y =
            args.output<float>(0) + g_.y.at(work.batch, work.kv_head * g_.group() + head, row);
        const float factor = 1 / work.sums[head * chunk_ + row - work.begin];
        table_.rows.binary[index_of(cpu::RowBinary::mul)](y, 1, &factor, 0, y, g_.width);
      }
  }

  const cpu::KernelTable& table_;
  AttentionGeometry g_;
  std::int64_t threads_;
  std::int64_t block_ = 1, chunk_ = 1, chunks_ = 0, pitch_ = 0;
  cpu::PanelLayout keys_, values_;
};

/// 16-bit operands, widened in the workspace first.
class HalfAttention final : public AttentionKernel {
 public:
  explicit HalfAttention(const KernelSpec& spec)
      : AttentionKernel(spec),
        widen_(find_convert(spec.node, geometry().dtype, DType::float32)),
        narrow_(find_convert(spec.node, DType::float32, geometry().dtype)) {
    for (int i = 0; i < spec.node.input_count(); ++i)
      if (spec.node.has_input(i) && (i < 3 || !geometry().mask_is_bool))
        counts_[i] = spec.input(i).elements();
    counts_[4] = spec.output(0).elements();
  }

  std::size_t workspace_bytes() const noexcept override {
    std::int64_t floats = 0;
    for (std::int64_t count : counts_) floats += round_up(count, 16);
    return static_cast<std::size_t>(floats) * sizeof(float) + AttentionKernel::workspace_bytes();
  }

  Status run(const RunArgs& args) noexcept override {
    auto* at = static_cast<float*>(args.workspace);
    const void* inputs[4] = {};
    for (int i = 0; i < (geometry().has_mask ? 4 : 3); ++i) {
      inputs[i] = args.inputs[i];
      if (counts_[i] == 0) continue;
      widen_(args.inputs[i], at, counts_[i]);
      inputs[i] = at;
      at += round_up(counts_[i], 16);
    }
    void* output = at;
    const Status status =
        AttentionKernel::run({inputs, &output, at + round_up(counts_[4], 16), args.pool});
    if (status.ok()) narrow_(output, args.outputs[0], counts_[4]);
    return status;
  }

 private:
  Convert widen_, narrow_;
  std::int64_t counts_[5] = {};  // elements that are converted: operands, the result
};

}  // namespace

KernelPtr make_attention_cpu(const KernelSpec& spec) {
  if (spec.input(0).dtype != DType::float32) return make_kernel<HalfAttention>(spec.memory, spec);
  return make_kernel<AttentionKernel>(spec.memory, spec);
}

}  // namespace skiff
