#include <cublasLt.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "tests/cuda/double/control.h"
#include "tests/cuda/double/stored_number.h"

// The part of cuBLASLt that Skiff uses: descriptors are maps from attribute to bytes, a product is
// four loops.
namespace {

using Attributes = std::map<int, std::string>;

template <typename T>
T get(const void* descriptor, int name, T fallback) {
  const auto& attributes = *static_cast<const Attributes*>(descriptor);
  const auto found = attributes.find(name);
  if (found != attributes.end())
    std::memcpy(&fallback, found->second.data(), std::min(sizeof(T), found->second.size()));
  return fallback;
}

void put(void* descriptor, int name, const void* value, std::size_t bytes) {
  (*static_cast<Attributes*>(descriptor))[name].assign(static_cast<const char*>(value), bytes);
}

template <typename Handle>
void make(Handle* handle) {
  *handle = reinterpret_cast<Handle>(new Attributes);
  cuda_double_count_object(1);
}

cublasStatus_t destroy(void* handle, const char* function) {
  const int injected = cuda_double_enter(function);
  delete static_cast<Attributes*>(handle);
  cuda_double_count_object(-1);
  return injected != 0 ? CUBLAS_STATUS_INTERNAL_ERROR : CUBLAS_STATUS_SUCCESS;
}

/// A matrix as a layout describes it, column-major.
struct Matrix {
  cudaDataType type;
  std::int64_t rows, columns, leading, step;
  int batches;

  explicit Matrix(const void* layout)
      : type(get(layout, CUBLASLT_MATRIX_LAYOUT_TYPE, CUDA_R_32F)),
        rows(get<std::int64_t>(layout, CUBLASLT_MATRIX_LAYOUT_ROWS, 0)),
        columns(get<std::int64_t>(layout, CUBLASLT_MATRIX_LAYOUT_COLS, 0)),
        leading(get<std::int64_t>(layout, CUBLASLT_MATRIX_LAYOUT_LD, 0)),
        step(get<std::int64_t>(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, 0)),
        batches(get<std::int32_t>(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, 1)) {}
  std::int64_t place(std::int64_t row, std::int64_t column, std::int64_t batch) const {
    return batch * step + column * leading + row;
  }
};

bool turned(const void* operation, int name) {
  return get(operation, name, CUBLAS_OP_N) != CUBLAS_OP_N;
}

struct Product {
  Matrix a, b, c, d;
  bool turn_a, turn_b;
  int epilogue;
  const void* bias;
  const void *from_a, *from_b, *from_c;
  void* to;
  float alpha, beta;
  cudaDataType scale_type;
  bool integers;
  void* workspace;
  std::size_t workspace_bytes;
  bool tf32;

  std::int64_t depth() const { return turn_a ? a.rows : a.columns; }
  bool fits() const {
    return d.rows == (turn_a ? a.columns : a.rows) && d.columns == (turn_b ? b.rows : b.columns) &&
           depth() == (turn_b ? b.columns : b.rows) && c.rows == d.rows && c.columns == d.columns;
  }

  /// What cuBLASLt multiplies integers as (regular data order).
  bool fits_integers() const {
    return a.type == CUDA_R_8I && b.type == CUDA_R_8I && c.type == CUDA_R_32I &&
           d.type == CUDA_R_32I && scale_type == CUDA_R_32I && turn_a && !turn_b &&
           epilogue == CUBLASLT_EPILOGUE_DEFAULT && d.rows % 4 == 0 && depth() % 4 == 0 &&
           a.leading % 4 == 0 && b.leading % 4 == 0 && c.leading % 4 == 0;
  }

  std::int32_t integer_element(std::int64_t row, std::int64_t column, std::int64_t batch) const {
    std::int32_t sum = 0;
    for (std::int64_t k = 0; k < depth(); ++k)
      sum += static_cast<const std::int8_t*>(from_a)[a.place(k, row, batch)] *
             static_cast<const std::int8_t*>(from_b)[b.place(k, column, batch)];
    return sum;
  }
  float element(std::int64_t row, std::int64_t column, std::int64_t batch) const {
    float sum = 0;
    for (std::int64_t k = 0; k < depth(); ++k) {
      const float left = cuda_double::load(
          a.type, from_a, turn_a ? a.place(k, row, batch) : a.place(row, k, batch));
      const float right = cuda_double::load(
          b.type, from_b, turn_b ? b.place(column, k, batch) : b.place(k, column, batch));
      sum += tf32 ? cuda_double::to_tf32(left) * cuda_double::to_tf32(right) : left * right;
    }
    sum *= alpha;
    if (beta != 0) sum += beta * cuda_double::load(c.type, from_c, c.place(row, column, batch));
    if ((epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) sum += cuda_double::load(d.type, bias, row);
    if ((epilogue & CUBLASLT_EPILOGUE_RELU) != 0) sum = sum < 0 ? 0 : sum;
    return sum;
  }
  void run() const {
    cuda_double_spend(("cublaslt " + std::to_string(workspace_bytes)).c_str());
    if (workspace_bytes > 0) std::memset(workspace, 0xff, workspace_bytes);
    for (std::int64_t batch = 0; batch < d.batches; ++batch)
      for (std::int64_t column = 0; column < d.columns; ++column)
        for (std::int64_t row = 0; row < d.rows; ++row)
          if (integers)
            static_cast<std::int32_t*>(to)[d.place(row, column, batch)] =
                integer_element(row, column, batch);
          else
            cuda_double::store(d.type, to, d.place(row, column, batch),
                               element(row, column, batch));
  }
};

Product describe(const void* operation, const void* a, const void* b, const void* c,
                 const void* d) {
  return {.a = Matrix(a),
          .b = Matrix(b),
          .c = Matrix(c),
          .d = Matrix(d),
          .turn_a = turned(operation, CUBLASLT_MATMUL_DESC_TRANSA),
          .turn_b = turned(operation, CUBLASLT_MATMUL_DESC_TRANSB),
          .epilogue = get<int>(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT),
          .bias = get<const void*>(operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, nullptr),
          .from_a = nullptr,
          .from_b = nullptr,
          .from_c = nullptr,
          .to = nullptr,
          .alpha = 1,
          .beta = 0,
          .scale_type = get(operation, CUBLASLT_MATMUL_DESC_SCALE_TYPE, CUDA_R_32F),
          .integers = get(operation, CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, CUBLAS_COMPUTE_32F) ==
                      CUBLAS_COMPUTE_32I,
          .workspace = nullptr,
          .workspace_bytes = 0,
          .tf32 = false};
}

/// What an algorithm does to numbers: 8-bit and 16-bit ones are for tensor cores, of float32 only
/// the one with scratch is, where the operation allows it.
std::uint64_t numerics_of(const void* operation, cudaDataType type, std::size_t workspace) {
  constexpr auto kTensor =
      CUBLASLT_NUMERICAL_IMPL_FLAGS_HMMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_32F;
  if (type == CUDA_R_8I)
    return CUBLASLT_NUMERICAL_IMPL_FLAGS_IMMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_32I |
           CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_8I;
  if (type == CUDA_R_16F) return kTensor | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16F;
  if (type == CUDA_R_16BF) return kTensor | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16BF;
  const bool rounds = get(operation, CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, CUBLAS_COMPUTE_32F) ==
                      CUBLAS_COMPUTE_32F_FAST_TF32;
  return rounds && workspace > 0
             ? kTensor | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_TF32
             : CUBLASLT_NUMERICAL_IMPL_FLAGS_FMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_32F |
                   CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_32F;
}

}  // namespace

#define CUBLAS_DOUBLE extern "C" __attribute__((visibility("default")))
#define CUBLAS_DOUBLE_ENTER() \
  if (cuda_double_enter(__func__) != 0) return CUBLAS_STATUS_INTERNAL_ERROR

CUBLAS_DOUBLE size_t cublasLtGetVersion() {
  const int claimed = cuda_double_cublaslt_version();
  return claimed != 0 ? static_cast<size_t>(claimed) : CUBLAS_VERSION;
}

CUBLAS_DOUBLE cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  CUBLAS_DOUBLE_ENTER();
  make(handle);
  return CUBLAS_STATUS_SUCCESS;
}
CUBLAS_DOUBLE cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  return destroy(handle, __func__);
}

CUBLAS_DOUBLE cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* descriptor,
                                                      cublasComputeType_t compute,
                                                      cudaDataType_t scale) {
  CUBLAS_DOUBLE_ENTER();
  make(descriptor);
  put(*descriptor, CUBLASLT_MATMUL_DESC_SCALE_TYPE, &scale, sizeof(scale));
  put(*descriptor, CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, &compute, sizeof(compute));
  return CUBLAS_STATUS_SUCCESS;
}
CUBLAS_DOUBLE cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t descriptor) {
  return destroy(descriptor, __func__);
}
CUBLAS_DOUBLE cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t descriptor,
                                                            cublasLtMatmulDescAttributes_t name,
                                                            const void* value, size_t bytes) {
  CUBLAS_DOUBLE_ENTER();
  put(descriptor, name, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

CUBLAS_DOUBLE cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout,
                                                        cudaDataType type, uint64_t rows,
                                                        uint64_t columns, int64_t leading) {
  CUBLAS_DOUBLE_ENTER();
  make(layout);
  put(*layout, CUBLASLT_MATRIX_LAYOUT_TYPE, &type, sizeof(type));
  put(*layout, CUBLASLT_MATRIX_LAYOUT_ROWS, &rows, sizeof(rows));
  put(*layout, CUBLASLT_MATRIX_LAYOUT_COLS, &columns, sizeof(columns));
  put(*layout, CUBLASLT_MATRIX_LAYOUT_LD, &leading, sizeof(leading));
  return CUBLAS_STATUS_SUCCESS;
}
CUBLAS_DOUBLE cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  return destroy(layout, __func__);
}
CUBLAS_DOUBLE cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                              cublasLtMatrixLayoutAttribute_t name,
                                                              const void* value, size_t bytes) {
  CUBLAS_DOUBLE_ENTER();
  put(layout, name, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

CUBLAS_DOUBLE cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  CUBLAS_DOUBLE_ENTER();
  make(made);
  return CUBLAS_STATUS_SUCCESS;
}
CUBLAS_DOUBLE cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t made) {
  return destroy(made, __func__);
}
CUBLAS_DOUBLE cublasStatus_t cublasLtMatmulPreferenceSetAttribute(
    cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t name,
    const void* value, size_t bytes) {
  CUBLAS_DOUBLE_ENTER();
  put(preference, name, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

/// One algorithm with scratch that it spoils and, where that is allowed, one without.
CUBLAS_DOUBLE cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
    cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
    cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
    cublasLtMatmulPreference_t preference, int wanted, cublasLtMatmulHeuristicResult_t* results,
    int* count) {
  CUBLAS_DOUBLE_ENTER();
  *count = 0;
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const Product asked = describe(operation, a, b, c, d);
  if (wanted <= 0 || !asked.fits()) return CUBLAS_STATUS_INVALID_VALUE;
  if (asked.integers && !asked.fits_integers()) return CUBLAS_STATUS_NOT_SUPPORTED;
  const auto limit = get<std::uint64_t>(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, 0);
  for (const std::size_t workspace : {std::size_t{4096}, std::size_t{0}}) {
    if (workspace > limit || *count == wanted) continue;
    cublasLtMatmulHeuristicResult_t& result = results[(*count)++];
    std::memset(&result, 0, sizeof(result));
    result.algo.data[0] = workspace;
    result.algo.data[1] = numerics_of(operation, Matrix(a).type, workspace);
    result.workspaceSize = workspace;
  }
  return CUBLAS_STATUS_SUCCESS;
}

CUBLAS_DOUBLE cublasStatus_t cublasLtMatmulAlgoCapGetAttribute(
    const cublasLtMatmulAlgo_t* algorithm, cublasLtMatmulAlgoCapAttributes_t name, void* value,
    size_t bytes, size_t* written) {
  CUBLAS_DOUBLE_ENTER();
  if (name != CUBLASLT_ALGO_CAP_NUMERICAL_IMPL_FLAGS || bytes != sizeof(std::uint64_t))
    return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(value, &algorithm->data[1], bytes);
  *written = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

CUBLAS_DOUBLE cublasStatus_t cublasLtMatmul(
    cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha, const void* from_a,
    cublasLtMatrixLayout_t a, const void* from_b, cublasLtMatrixLayout_t b, const void* beta,
    const void* from_c, cublasLtMatrixLayout_t c, void* to, cublasLtMatrixLayout_t d,
    const cublasLtMatmulAlgo_t* algorithm, void* workspace, size_t bytes, cudaStream_t stream) {
  CUBLAS_DOUBLE_ENTER();
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  auto product = std::make_unique<Product>(describe(operation, a, b, c, d));
  const std::size_t needed = algorithm == nullptr ? 0 : algorithm->data[0];
  if (!product->fits() || needed > bytes || (needed > 0 && workspace == nullptr))
    return CUBLAS_STATUS_INVALID_VALUE;
  product->from_a = from_a;
  product->from_b = from_b;
  product->from_c = from_c;
  product->to = to;
  if (product->integers) {
    const auto is = [](const void* factor, std::int32_t value) {
      return *static_cast<const std::int32_t*>(factor) == value;
    };
    const auto aligned = [](const void* matrix) {
      return reinterpret_cast<std::uintptr_t>(matrix) % 4 == 0;
    };
    if (!product->fits_integers() || !is(alpha, 1) || !is(beta, 0) || !aligned(from_a) ||
        !aligned(from_b) || !aligned(to))
      return CUBLAS_STATUS_NOT_SUPPORTED;
  } else {
    product->alpha = *static_cast<const float*>(alpha);
    product->beta = *static_cast<const float*>(beta);
  }
  product->workspace = workspace;
  product->workspace_bytes = needed;
  product->tf32 =
      algorithm != nullptr && (algorithm->data[1] & CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_TF32) != 0;
  cuda_double_submit(
      stream, [](void* context) { static_cast<const Product*>(context)->run(); }, product.release(),
      [](void* context) { delete static_cast<Product*>(context); });
  return CUBLAS_STATUS_SUCCESS;
}
