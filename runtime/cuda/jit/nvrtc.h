#pragma once

#include <string>

namespace skiff::cuda::jit {

/// NVIDIA's run-time compiler, which need not be there: the module does not link it.
class Nvrtc {
 public:
  /// The one of the CUDA version that the module was built with; null where it is not installed.
  static const Nvrtc* find();

  /// Code for the GPUs of one `architecture` ("sm_87"), which no other kind can run. Sources may
  /// include the headers that headers.h lists. Throws Error{unsupported} with the compiler's words.
  std::string compile(const std::string& source, const std::string& architecture) const;

 private:
  Nvrtc() = default;
  static Nvrtc* open();
  void check(int result, const char* call) const;

  // As nvrtc.h declares them; a result is 0 or an error's number.
  using Program = void*;
  int (*create_)(Program*, const char* source, const char* name, int headers,
                 const char* const* contents, const char* const* names) = nullptr;
  int (*compile_)(Program, int options, const char* const* option) = nullptr;
  int (*log_size_)(Program, std::size_t*) = nullptr;
  int (*log_)(Program, char*) = nullptr;
  int (*code_size_)(Program, std::size_t*) = nullptr;
  int (*code_)(Program, char*) = nullptr;
  int (*destroy_)(Program*) = nullptr;
  const char* (*error_)(int result) = nullptr;
};

}  // namespace skiff::cuda::jit
