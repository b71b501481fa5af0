#include "runtime/cuda/cublaslt/matmul.h"

#include <algorithm>
#include <charconv>

#include "runtime/cuda/dispatch.h"

namespace skiff::cuda::cublaslt {
namespace {

using Preference = Handle<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

/// Scratch an algorithm may ask for; it comes out of the arena.
constexpr std::uint64_t kMostWorkspace = std::uint64_t{4} << 20;
constexpr int kMostRank = 64;

cudaDataType data_type(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return CUDA_R_32F;
    case DType::float16:
      return CUDA_R_16F;
    case DType::bfloat16:
      return CUDA_R_16BF;
    case DType::int8:
      return CUDA_R_8I;
    case DType::int32:
      return CUDA_R_32I;
    default:
      refuse("cuBLASLt takes no ", dtype, " here");
  }
}

/// A row-major matrix [rows, columns] is, to cuBLASLt, the column-major [columns, rows].
Layout make_layout(DType dtype, std::int64_t rows, std::int64_t columns, std::int64_t batches,
                   std::int64_t step) {
  Layout layout;
  check(cublasLtMatrixLayoutCreate(layout.out(), data_type(dtype),
                                   static_cast<std::uint64_t>(columns),
                                   static_cast<std::uint64_t>(rows), columns),
        "cublasLtMatrixLayoutCreate");
  const auto set = [&](cublasLtMatrixLayoutAttribute_t name, const auto& value) {
    check(cublasLtMatrixLayoutSetAttribute(layout.get(), name, &value, sizeof(value)),
          "cublasLtMatrixLayoutSetAttribute");
  };
  set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(narrow(batches)));
  set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, step);
  return layout;
}

cublasComputeType_t compute_type(const Product& p) noexcept {
  if (p.dtype == DType::int8) return CUBLAS_COMPUTE_32I;
  return p.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

bool uses_tensor_cores(const cublasLtMatmulAlgo_t& algorithm) {
  std::uint64_t flags = 0;
  std::size_t written = 0;
  check(cublasLtMatmulAlgoCapGetAttribute(&algorithm, CUBLASLT_ALGO_CAP_NUMERICAL_IMPL_FLAGS,
                                          &flags, sizeof(flags), &written),
        "cublasLtMatmulAlgoCapGetAttribute");
  return (flags & CUBLASLT_NUMERICAL_IMPL_FLAGS_TENSOR_OP_MASK) != 0;
}

template <typename T>
void set_operation(const Operation& operation, cublasLtMatmulDescAttributes_t name,
                   const T& value) {
  check(cublasLtMatmulDescSetAttribute(operation.get(), name, &value, sizeof(value)),
        "cublasLtMatmulDescSetAttribute");
}

}  // namespace

Matmul::Matmul(const Product& p) : product_(p) {
  // d' = b' a' with ' for transposed: row-major operands need no copy.
  const DType sums = p.dtype == DType::int8 ? DType::int32 : p.dtype;
  check(cublasLtMatmulDescCreate(operation_.out(), compute_type(p),
                                 sums == DType::int32 ? CUDA_R_32I : CUDA_R_32F),
        "cublasLtMatmulDescCreate");
  const auto turned = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  set_operation(operation_, CUBLASLT_MATMUL_DESC_TRANSA, turned(p.transpose_b));
  set_operation(operation_, CUBLASLT_MATMUL_DESC_TRANSB, turned(p.transpose_a));
  const cublasLtEpilogue_t epilogue = p.bias && p.relu ? CUBLASLT_EPILOGUE_RELU_BIAS
                                      : p.bias         ? CUBLASLT_EPILOGUE_BIAS
                                      : p.relu         ? CUBLASLT_EPILOGUE_RELU
                                                       : CUBLASLT_EPILOGUE_DEFAULT;
  set_operation(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
  a_ = make_layout(p.dtype, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, p.batches,
                   p.a_step);
  b_ = make_layout(p.dtype, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, p.batches,
                   p.b_step);
  d_ = make_layout(sums, p.m, p.n, p.batches, p.m * p.n);
}

std::vector<cublasLtMatmulHeuristicResult_t> Matmul::ask(cublasLtHandle_t handle, int most,
                                                         std::uint64_t workspace) const {
  Preference preference;
  check(cublasLtMatmulPreferenceCreate(preference.out()), "cublasLtMatmulPreferenceCreate");
  check(cublasLtMatmulPreferenceSetAttribute(preference.get(),
                                             CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                             sizeof(workspace)),
        "cublasLtMatmulPreferenceSetAttribute");
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(most));
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle, operation_.get(), b_.get(), a_.get(), d_.get(),
                                     d_.get(), preference.get(), most, found.data(), &count);
  if (status != CUBLAS_STATUS_NOT_SUPPORTED) check(status, "cublasLtMatmulAlgoGetHeuristic");
  found.resize(status == CUBLAS_STATUS_SUCCESS ? static_cast<std::size_t>(count) : 0);
  return found;
}

Matmul::Matmul(cublasLtHandle_t handle, const Product& product, const Pick& pick)
    : Matmul(product) {
  // A rank counts within the answer to one question, whatever the scratch may be now.
  const bool ranked = pick.rank >= 0;
  const auto found = ask(handle, ranked ? pick.rank + 1 : 1,
                         ranked ? kMostWorkspace : std::min(pick.most_workspace, kMostWorkspace));
  const auto at = static_cast<std::size_t>(std::max(pick.rank, 0));
  if (at >= found.size() || found[at].workspaceSize > pick.most_workspace)
    refuse("cuBLASLt has no algorithm for this product");
  algorithm_ = found[at].algo;
  workspace_ = found[at].workspaceSize;
  tensor_cores_ = uses_tensor_cores(algorithm_);
}

int count_algorithms(cublasLtHandle_t handle, const Product& product, int most) {
  return static_cast<int>(Matmul(product).ask(handle, most, kMostWorkspace).size());
}

constexpr std::string_view kPrefix = "cublaslt.";

std::string name_of_rank(int rank) { return message(kPrefix, rank); }

int rank_of(std::string_view name) noexcept {
  if (!name.starts_with(kPrefix)) return -1;
  int rank = -1;
  const auto [end, error] =
      std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), rank);
  return error == std::errc() && end == name.data() + name.size() && rank < kMostRank ? rank : -1;
}

void Matmul::enqueue(const Device& device, const void* a, const void* b, const void* bias,
                     const void* residual, void* d, void* workspace) {
  if (product_.bias) set_operation(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  const float beta = product_.residual ? 1.0f : 0.0f;
  const std::int32_t once = 1, nothing = 0;
  const bool integers = product_.dtype == DType::int8;
  const void* const of_product = integers ? static_cast<const void*>(&once) : &product_.scale;
  const void* const of_residual = integers ? static_cast<const void*>(&nothing) : &beta;
  const void* c = product_.residual ? residual : d;
  check(cublasLtMatmul(device.cublas(), operation_.get(), of_product, b, b_.get(), a, a_.get(),
                       of_residual, c, d_.get(), d, d_.get(), &algorithm_, workspace, workspace_,
                       device.stream()),
        "cublasLtMatmul");
}

}  // namespace skiff::cuda::cublaslt
