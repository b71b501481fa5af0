#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

namespace skiff::cuda {

/// Throw Error{device}, or Error{out_of_memory}, that names the call. An error after which the
/// context is unusable is remembered, also when a library only says that it failed: see
/// context_lost().
void check(cudaError_t error, const char* call);
void check(cudnnStatus_t status, const char* call);
void check(cublasStatus_t status, const char* call);

/// Whether an error leaves the context unusable; others may be retried.
bool fatal(cudaError_t error) noexcept;
/// Remembers a fatal error for the life of the process and returns the error.
cudaError_t latch(cudaError_t error) noexcept;
/// True once a fatal error was seen: from then on nothing is freed, destroyed or launched.
bool context_lost() noexcept;

}  // namespace skiff::cuda
