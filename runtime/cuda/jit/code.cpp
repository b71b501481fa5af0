#include "runtime/cuda/jit/code.h"

#include "runtime/core/error.h"

namespace skiff::cuda::jit {
namespace {

/// Functions of the driver, which the module does not link: the runtime library gives them.
struct Driver {
  decltype(&cuModuleLoadData) load;
  decltype(&cuModuleUnload) unload;
  decltype(&cuModuleGetFunction) find;
  decltype(&cuLaunchKernel) launch;
};

template <typename F>
void find_entry(const char* name, F& function) {
  constexpr unsigned kVersion = 12000;  // whose functions these are
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check(cudaGetDriverEntryPointByVersion(name, &address, kVersion, cudaEnableDefault, &found),
        "cudaGetDriverEntryPointByVersion");
  require(found == cudaDriverEntryPointSuccess && address != nullptr, ErrorCode::unsupported,
          "the NVIDIA driver has no ", name);
  function = reinterpret_cast<F>(address);
}

const Driver& driver() {
  static const Driver one = [] {
    Driver found{};
    find_entry("cuModuleLoadData", found.load);
    find_entry("cuModuleUnload", found.unload);
    find_entry("cuModuleGetFunction", found.find);
    find_entry("cuLaunchKernel", found.launch);
    return found;
  }();
  return one;
}

/// The driver's numbers are those of the runtime library.
void check(CUresult result, const char* call) {
  cuda::check(static_cast<cudaError_t>(result), call);
}

}  // namespace

void unload(CUmodule code) noexcept {
  latch(static_cast<cudaError_t>(driver().unload(code)));  // loaded: the functions are known
}

Code::Code(const std::string& binary) {
  check(driver().load(module_.out(), binary.data()), "cuModuleLoadData");
}

CUfunction Code::find(const char* kernel) const {
  CUfunction function{};
  check(driver().find(&function, module_.get(), kernel), "cuModuleGetFunction");
  return function;
}

void launch(CUfunction kernel, unsigned blocks, unsigned threads, cudaStream_t stream,
            void** arguments) {
  check(driver().launch(kernel, blocks, 1, 1, threads, 1, 1, 0, stream, arguments, nullptr),
        "cuLaunchKernel");
}

}  // namespace skiff::cuda::jit
