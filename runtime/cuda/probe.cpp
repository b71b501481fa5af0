#include "runtime/cuda/probe.h"

#include <cublasLt.h>
#include <dlfcn.h>

#include <skiff_device/launch.h>

#include "runtime/core/error.h"
#include "runtime/cuda/check.h"
#include "runtime/cuda/copy.h"
#include "runtime/cuda/footprint.h"

namespace skiff::cuda {
namespace {

constexpr int kCudaMajor = CUDART_VERSION / 1000;

void probe_driver(int ordinal) {
  int driver = 0, count = 0;
  const cudaError_t asked = cudaDriverGetVersion(&driver);
  const cudaError_t error = cudaGetDeviceCount(&count);
  require(asked == cudaSuccess && driver != 0, ErrorCode::device,
          "there is no NVIDIA driver: install one, or on a Jetson flash JetPack");
  require(error != cudaErrorInsufficientDriver && driver / 1000 >= kCudaMajor, ErrorCode::device,
          "the NVIDIA driver knows CUDA ", driver / 1000, ".", driver % 1000 / 10, ", needed is ",
          kCudaMajor, ".0: update the driver, or use a Skiff built for CUDA ", driver / 1000);
  require(error == cudaSuccess || error == cudaErrorNoDevice, ErrorCode::device,
          "the NVIDIA driver does not answer (", cudaGetErrorString(error),
          "): is its kernel module loaded, and may this user open /dev/nvidia* or /dev/nvhost*?");
  require(error == cudaSuccess && count > 0, ErrorCode::device,
          "the NVIDIA driver sees no GPU: is one there, and not hidden by CUDA_VISIBLE_DEVICES?");
  require(ordinal < count, ErrorCode::device, "there is no GPU number ", ordinal, ", only ", count,
          ": use --device=cuda:0");
}

/// A soname says the version, but a link may lead elsewhere.
void probe_runtime() {
  int runtime = 0;
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  require(runtime / 1000 == kCudaMajor, ErrorCode::device, "the CUDA runtime is of version ",
          runtime / 1000, ".", runtime % 1000 / 10, ", needed is ", kCudaMajor,
          ".x: install package cuda-cudart of that version");
}

void probe_cublaslt() {
  const std::size_t version = cublasLtGetVersion(), major = version / 10000;
  require(major == CUBLAS_VER_MAJOR, ErrorCode::device, "cuBLASLt is of version ", major, ".",
          version / 100 % 100, ", needed is ", CUBLAS_VER_MAJOR,
          ".x: install package libcublas of that version");
}

/// cuDNN opens its parts by itself, and aborts the process where it cannot.
void probe_cudnn() {
  require(dlopen("libcudnn_graph.so.9", RTLD_NOW | RTLD_LOCAL) != nullptr, ErrorCode::device,
          "cuDNN cannot be loaded (", dlerror(), "): install cuDNN 9 completely, and zlib");
  const std::size_t version = cudnnGetVersion();
  const bool counts_new = version >= 90000;  // before version 9 a digit less
  const std::size_t major = version / (counts_new ? 10000 : 1000);
  const std::size_t minor = version / 100 % (counts_new ? 100 : 10);
  require(major == CUDNN_MAJOR, ErrorCode::device, "cuDNN is of version ", major, ".", minor,
          ", needed is ", CUDNN_MAJOR, ".x: install cuDNN ", CUDNN_MAJOR);
}

void probe_image(int ordinal) {
  check(cudaSetDevice(ordinal), "cudaSetDevice");
  cudaFuncAttributes attributes{};
  const cudaError_t error = cudaFuncGetAttributes(&attributes, any_kernel());
  int major = 0, minor = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal),
        "cudaDeviceGetAttribute");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, ordinal),
        "cudaDeviceGetAttribute");
  require(error != cudaErrorNoKernelImageForDevice && error != cudaErrorInvalidDeviceFunction,
          ErrorCode::device, "Skiff's kernels were not compiled for this GPU (sm_", major, minor,
          "): build with -DCMAKE_CUDA_ARCHITECTURES=", major, minor);
  check(error, "cudaFuncGetAttributes");
}

}  // namespace

void probe(int ordinal) {
  require(!context_lost(), ErrorCode::device,
          "the GPU failed earlier in this process: restart the process to use it again");
  probe_runtime();
  probe_driver(ordinal);
  probe_cublaslt();
  probe_cudnn();
  begin_footprint(ordinal);
  probe_image(ordinal);
}

}  // namespace skiff::cuda
