#include <dlfcn.h>

// Loaded before a program on the doubles: from the tenth launch on, graphs run at once on a stream
// of their own and do not wait for what the caller's stream holds.
namespace {

int g_launches = 0;

template <typename Function>
Function* real(const char* name) {
  void* const runtime = dlopen("libcudart.so.13", RTLD_LAZY | RTLD_NOLOAD);
  return reinterpret_cast<Function*>(dlsym(runtime, name));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int cudaGraphLaunch(void* ready, void* stream) {
  const auto launch = real<int(void*, void*)>("cudaGraphLaunch");
  if (++g_launches < 10) return launch(ready, stream);
  const int error = launch(ready, nullptr);
  return error != 0 ? error : real<int(void*)>("cudaStreamSynchronize")(nullptr);
}
