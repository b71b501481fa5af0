#include <skiff_device/launch.h>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/ops/attention.h"

namespace skiff::cuda {
namespace {

constexpr int kChunk = 1024;  ///< scores a block holds at a time

__device__ std::int64_t start_of(const AttentionGeometry::Rows& rows, std::int64_t batch,
                                 std::int64_t head, std::int64_t row) {
  return batch * rows.batch + head * rows.head + row * rows.row;
}

/// The score of a key, capped and masked; `mask` stands at the query's row.
__device__ float score_of(const AttentionGeometry& g, const float* q, const float* k,
                          const void* mask, std::int64_t at) {
  float score = 0.0f;
  for (std::int64_t d = 0; d < g.depth; ++d) score += q[d] * k[d];
  score *= g.scale;
  if (g.softcap > 0.0f) score = g.softcap * tanhf(score / g.softcap);
  if (!g.has_mask) return score;
  if (g.mask_is_bool) return static_cast<const bool*>(mask)[at] ? score : -INFINITY;
  return score + static_cast<const float*>(mask)[at];
}

/// A block a query of a head. Chunk by chunk of the keys: their scores, the largest so far, and the
/// result's elements, of which each thread has its own.
__global__ void __launch_bounds__(kRowThreads)
    attend(AttentionGeometry g, const float* q, const float* k, const float* v, const void* mask,
           float* y) {
  __shared__ float shares[kChunk];
  const std::int64_t query = blockIdx.x % g.queries, head = blockIdx.x / g.queries % g.heads;
  const std::int64_t batch = blockIdx.x / g.queries / g.heads;
  const std::int64_t kv_head = head / (g.heads / g.kv_heads);
  const std::int64_t masked = batch * g.mask[0] + head * g.mask[1] + query * g.mask[2];
  const float* own = q + start_of(g.q, batch, head, query);
  float* result = y + start_of(g.y, batch, head, query);
  const std::int64_t seen = g.causal && query + 1 < g.keys ? query + 1 : g.keys;
  for (std::int64_t e = threadIdx.x; e < g.width; e += kRowThreads) result[e] = 0.0f;
  float largest = -INFINITY, sum = 0.0f;
  for (std::int64_t begin = 0; begin < seen; begin += kChunk) {
    const std::int64_t size = seen - begin < kChunk ? seen - begin : kChunk;
    float here = -INFINITY;
    for (std::int64_t i = threadIdx.x; i < size; i += kRowThreads) {
      const std::int64_t key = begin + i;
      shares[i] =
          score_of(g, own, k + start_of(g.k, batch, kv_head, key), mask, masked + key * g.mask[3]);
      here = Maximum::of(here, shares[i]);
    }
    const float next = Maximum::of(largest, reduce_block<Maximum>(here));
    const bool hidden = next == -INFINITY;  // every key so far
    const float shrink = hidden ? 1.0f : expf(largest - next);
    float part = 0.0f;
    for (std::int64_t i = threadIdx.x; i < size; i += kRowThreads) {
      shares[i] = hidden ? 0.0f : expf(shares[i] - next);
      part += shares[i];
    }
    sum = sum * shrink + reduce_block<Sum>(part);
    largest = next;
    for (std::int64_t e = threadIdx.x; e < g.width; e += kRowThreads) {
      float value = result[e] * shrink;
      for (std::int64_t i = 0; i < size; ++i)
        value += shares[i] * v[start_of(g.v, batch, kv_head, begin + i) + e];
      result[e] = value;
    }
    __syncthreads();  // nobody still reads the shares
  }
  for (std::int64_t e = threadIdx.x; g.keys > 0 && e < g.width; e += kRowThreads) result[e] /= sum;
}

class Attention final : public Kernel {
 public:
  explicit Attention(const KernelSpec& spec)
      : plan_(read_attention(spec.node)),
        rows_(blocks_for(plan_.width == 0 ? 0 : plan_.batches * plan_.heads * plan_.queries, 1)) {}

  const char* algorithm() const noexcept override { return "block a query"; }
  std::int64_t flops() const noexcept override {
    return 2 * static_cast<std::int64_t>(rows_) * plan_.keys * (plan_.depth + plan_.width);
  }

  void enqueue(const LaunchArgs& args) override {
    if (rows_ == 0) return;
    check(
        Launch<attend>::run(rows_, kRowThreads, args.stream(), plan_, args.input<float>(0),
                            args.input<float>(1), args.input<float>(2),
                            plan_.has_mask ? args.input<void>(3) : nullptr, args.output<float>(0)),
        "attention");
  }

 private:
  AttentionGeometry plan_;
  unsigned rows_;
};

}  // namespace

KernelPtr make_attention(const KernelSpec& spec) {
  return make_kernel<Attention>(spec.memory, spec);
}

}  // namespace skiff::cuda
