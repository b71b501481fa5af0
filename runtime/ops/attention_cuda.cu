#include <skiff_device/launch.h>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/ops/attention.h"

namespace skiff::cuda {
namespace {

constexpr int kChunk = 1024;  ///< scores a block holds at a time
constexpr int kOwn = 4;       ///< elements of the result that a thread may have

__device__ std::int64_t start_of(const AttentionGeometry::Rows& rows, std::int64_t batch,
                                 std::int64_t head, std::int64_t row) {
  return batch * rows.batch + head * rows.head + row * rows.row;
}

/// The score of a key, capped and masked; `mask` stands at the query's row.
template <typename T>
__device__ float score_of(const AttentionGeometry& g, const T* q, const T* k, const void* mask,
                          std::int64_t at) {
  float score = 0.0f;
  for (std::int64_t d = 0; d < g.depth; ++d) score += to_float(q[d]) * to_float(k[d]);
  score *= g.scale;
  if (g.softcap > 0.0f) score = g.softcap * tanhf(score / g.softcap);
  if (!g.has_mask) return score;
  if (g.mask_is_bool) return static_cast<const std::uint8_t*>(mask)[at] != 0 ? score : -INFINITY;
  return score + to_float(static_cast<const T*>(mask)[at]);
}

/// A block a query of a head. Chunk by chunk of the keys: their scores, the largest so far, and the
/// result's elements, of which each thread has its own.
template <typename T>
__global__ void __launch_bounds__(kRowThreads)
    attend(AttentionGeometry g, const T* q, const T* k, const T* v, const void* mask, T* y) {
  __shared__ float shares[kChunk];
  const std::int64_t query = blockIdx.x % g.queries, head = blockIdx.x / g.queries % g.heads;
  const std::int64_t batch = blockIdx.x / g.queries / g.heads;
  const std::int64_t kv_head = head / (g.heads / g.kv_heads);
  const std::int64_t masked = batch * g.mask[0] + head * g.mask[1] + query * g.mask[2];
  const T* row = q + start_of(g.q, batch, head, query);
  const std::int64_t seen = g.causal && query + 1 < g.keys ? query + 1 : g.keys;
  float own[kOwn] = {}, largest = -INFINITY, sum = 0.0f;
  for (std::int64_t begin = 0; begin < seen; begin += kChunk) {
    const std::int64_t size = seen - begin < kChunk ? seen - begin : kChunk;
    float here = -INFINITY;
    for (std::int64_t i = threadIdx.x; i < size; i += kRowThreads) {
      const std::int64_t key = begin + i;
      shares[i] =
          score_of(g, row, k + start_of(g.k, batch, kv_head, key), mask, masked + key * g.mask[3]);
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
    for (int n = 0; n < kOwn; ++n) {
      const std::int64_t e = threadIdx.x + std::int64_t{n} * kRowThreads;
      if (e >= g.width) break;
      float value = own[n] * shrink;
      for (std::int64_t i = 0; i < size; ++i)
        value += shares[i] * to_float(v[start_of(g.v, batch, kv_head, begin + i) + e]);
      own[n] = value;
    }
    __syncthreads();  // nobody still reads the shares
  }
  T* result = y + start_of(g.y, batch, head, query);
  for (int n = 0; n < kOwn; ++n) {
    const std::int64_t e = threadIdx.x + std::int64_t{n} * kRowThreads;
    if (e < g.width) result[e] = from_float<T>(g.keys == 0 ? 0.0f : own[n] / sum);
  }
}

class Attention final : public Kernel {
 public:
  explicit Attention(const KernelSpec& spec)
      : plan_(read_attention(spec.node)),
        rows_(blocks_for(plan_.width == 0 ? 0 : plan_.batches * plan_.heads * plan_.queries, 1)) {
    if (plan_.width > kOwn * kRowThreads) refuse("no GPU kernel for values of ", plan_.width);
    dispatch_float(plan_.dtype, [](auto) {});
  }

  const char* algorithm() const noexcept override { return "block a query"; }
  std::int64_t flops() const noexcept override {
    return 2 * static_cast<std::int64_t>(rows_) * plan_.keys * (plan_.depth + plan_.width);
  }

  void enqueue(const LaunchArgs& args) override {
    if (rows_ == 0) return;
    dispatch_float(plan_.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      check(
          Launch<attend<T>>::run(rows_, kRowThreads, args.stream(), plan_, args.input<T>(0),
                                 args.input<T>(1), args.input<T>(2),
                                 plan_.has_mask ? args.input<void>(3) : nullptr, args.output<T>(0)),
          "attention");
    });
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
