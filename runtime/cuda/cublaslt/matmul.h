#pragma once

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <skiff/dtype.h>

#include "runtime/cuda/device.h"

namespace skiff::cuda::cublaslt {

/// d [batch, m, n] = epilogue(scale a b + residual), everything dense and row-major; a is [m, k] or
/// transposed [k, m], b likewise. Matrices of a batch lie `a_step`, `b_step` elements apart, 0 for
/// one that is common to all. Of int8, d is int32, exact, and nothing is done to it; cuBLASLt has
/// algorithms for a as it is, b transposed, and n and k multiples of 4.
struct Product {
  std::int64_t m = 0, n = 0, k = 0, batches = 1;
  std::int64_t a_step = 0, b_step = 0;
  bool transpose_a = false, transpose_b = false;
  DType dtype = DType::float32;
  bool tf32 = false;  ///< float32 operands may be rounded to 10 bits of fraction
  float scale = 1;
  bool bias = false;  ///< [n], added by the epilogue
  bool relu = false;
  bool residual = false;  ///< like d
};

/// Which of cuBLASLt's algorithms.
struct Pick {
  std::uint64_t most_workspace = UINT64_MAX;
  int rank = -1;  ///< the one of that place in cuBLASLt's own order; -1: the first that fits
};
/// How a choice names the algorithm of a rank, and the rank of such a name: -1 for other names.
std::string name_of_rank(int rank);
int rank_of(std::string_view name) noexcept;

using Operation = Handle<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using Layout = Handle<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

/// How many algorithms cuBLASLt proposes for a product, of the first `most`.
int count_algorithms(cublasLtHandle_t handle, const Product& product, int most);

/// A product with the algorithm that cuBLASLt proposed for it.
class Matmul {
 public:
  /// Throws Error{unsupported} when there is no algorithm for it.
  Matmul(cublasLtHandle_t handle, const Product& product, const Pick& pick);

  /// All algorithms that cuBLASLt proposes, at most `most`, for that much scratch.
  std::vector<cublasLtMatmulHeuristicResult_t> ask(cublasLtHandle_t handle, int most,
                                                   std::uint64_t workspace) const;

  std::size_t workspace() const noexcept { return workspace_; }
  bool tensor_cores() const noexcept { return tensor_cores_; }
  void enqueue(const Device& device, const void* a, const void* b, const void* bias,
               const void* residual, void* d, void* workspace);

 private:
  friend int count_algorithms(cublasLtHandle_t, const Product&, int);
  explicit Matmul(const Product& product);  // without an algorithm

  Product product_;
  Operation operation_;
  Layout a_, b_, d_;
  cublasLtMatmulAlgo_t algorithm_{};
  std::size_t workspace_ = 0;
  bool tensor_cores_ = false;
};

}  // namespace skiff::cuda::cublaslt
