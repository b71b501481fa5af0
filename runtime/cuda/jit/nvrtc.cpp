#include "runtime/cuda/jit/nvrtc.h"

#include <cuda_runtime_api.h>

#include <iterator>

#include "runtime/core/error.h"
#include "runtime/cuda/jit/headers.h"
#include "runtime/cuda/symbol.h"

namespace skiff::cuda::jit {
namespace {

std::string library_name() { return message("libnvrtc.so.", CUDART_VERSION / 1000); }

}  // namespace

Nvrtc* Nvrtc::open() {
  void* const library = dlopen(library_name().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  static Nvrtc nvrtc;
  const bool whole = find_function(library, "nvrtcCreateProgram", nvrtc.create_) &&
                     find_function(library, "nvrtcCompileProgram", nvrtc.compile_) &&
                     find_function(library, "nvrtcGetProgramLogSize", nvrtc.log_size_) &&
                     find_function(library, "nvrtcGetProgramLog", nvrtc.log_) &&
                     find_function(library, "nvrtcGetCUBINSize", nvrtc.code_size_) &&
                     find_function(library, "nvrtcGetCUBIN", nvrtc.code_) &&
                     find_function(library, "nvrtcDestroyProgram", nvrtc.destroy_) &&
                     find_function(library, "nvrtcGetErrorString", nvrtc.error_);
  return whole ? &nvrtc : nullptr;
}

const Nvrtc* Nvrtc::find() {
  static const Nvrtc* const found = open();
  return found;
}

void Nvrtc::check(int result, const char* call) const {
  require(result == 0, ErrorCode::unsupported, call, ": ", error_(result));
}

std::string Nvrtc::compile(const std::string& source, const std::string& architecture) const {
  struct Holder {
    decltype(destroy_) destroy;
    Program program = nullptr;
    ~Holder() {
      if (program != nullptr) static_cast<void>(destroy(&program));
    }
  } holder{destroy_};
  const Headers& headers = Headers::get();
  check(create_(&holder.program, source.c_str(), "skiff.cu", headers.count(), headers.texts(),
                headers.names()),
        "nvrtcCreateProgram");
  const std::string target = "--gpu-architecture=" + architecture;
  const char* const options[] = {target.c_str(), "--std=c++17"};
  if (compile_(holder.program, static_cast<int>(std::size(options)), options) != 0) {
    std::size_t size = 0;
    check(log_size_(holder.program, &size), "nvrtcGetProgramLogSize");
    std::string log(size, '\0');
    check(log_(holder.program, log.data()), "nvrtcGetProgramLog");
    fail(ErrorCode::unsupported, "NVRTC does not compile for ", architecture, ": ", log.c_str());
  }
  std::size_t size = 0;
  check(code_size_(holder.program, &size), "nvrtcGetCUBINSize");
  std::string code(size, '\0');
  check(code_(holder.program, code.data()), "nvrtcGetCUBIN");
  return code;
}

}  // namespace skiff::cuda::jit
