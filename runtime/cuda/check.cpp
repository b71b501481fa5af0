#include "runtime/cuda/check.h"

#include <atomic>

#include "runtime/core/error.h"

namespace skiff::cuda {
namespace {

std::atomic<bool> g_lost{false};

}  // namespace

bool fatal(cudaError_t error) noexcept {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorECCUncorrectable:
    case cudaErrorAssert:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorContextIsDestroyed:
    case cudaErrorMpsClientTerminated:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

cudaError_t latch(cudaError_t error) noexcept {
  if (fatal(error)) g_lost.store(true, std::memory_order_relaxed);
  return error;
}

bool context_lost() noexcept { return g_lost.load(std::memory_order_relaxed); }

void check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) [[likely]]
    return;
  latch(error);
  const auto code =
      error == cudaErrorMemoryAllocation ? ErrorCode::out_of_memory : ErrorCode::device;
  fail(code, "GPU: ", call, " failed: ", cudaGetErrorString(error), " (", static_cast<int>(error),
       fatal(error) ? "); the process must be restarted to use the GPU again" : ")");
}

void check(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) [[likely]]
    return;
  latch(cudaPeekAtLastError());
  char text[256] = "";
  cudnnGetLastErrorString(text, sizeof(text));
  fail(ErrorCode::device, "GPU: ", call, " failed: cuDNN says ", text, " (",
       static_cast<int>(status), ")");
}

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) [[likely]]
    return;
  latch(cudaPeekAtLastError());
  fail(ErrorCode::device, "GPU: ", call, " failed: cuBLASLt status ", static_cast<int>(status));
}

}  // namespace skiff::cuda
