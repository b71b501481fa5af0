#include "runtime/backend/module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "runtime/core/error.h"

namespace skiff::backend {
namespace {

constexpr const char* kFile = "libskiff_cuda.so";

/// A path in place: looking for a module that is not there takes no memory.
class Path {
 public:
  Path& operator+=(std::string_view piece) noexcept {
    size_ += piece.copy(text_.data() + size_, text_.size() - 1 - size_);
    text_[size_] = '\0';
    return *this;
  }
  const char* c_str() const noexcept { return text_.data(); }
  bool is_file() const noexcept { return access(c_str(), R_OK) == 0; }

 private:
  std::array<char, 4096> text_{};
  std::size_t size_ = 0;
};

/// Where the module is, or an empty path.
Path find_module() noexcept {
  Path path;
  if (const char* named = std::getenv("SKIFF_CUDA_MODULE")) return path += named;
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&find_module), &self) == 0) return path;
  const std::string_view file = self.dli_fname;
  const std::size_t slash = file.rfind('/');
  const std::string_view folder = slash == file.npos ? "." : file.substr(0, slash);
  for (const std::string_view beside : {"/", "/../lib/"}) {
    Path candidate;
    (((candidate += folder) += beside) += kFile);
    if (candidate.is_file()) return candidate;
  }
  return path;
}

/// What a library is for that the loader does not find.
struct Remedy {
  std::string_view library, advice;
};
constexpr Remedy kRemedies[] = {
    {"libcudart", "install the CUDA runtime of that version (package cuda-cudart), or JetPack"},
    {"libcudnn", "install cuDNN 9 (package cudnn9), or JetPack's nvidia-cudnn"},
    {"libcublas", "install cuBLAS of that version (package libcublas), or JetPack"},
};

std::string explain(std::string_view loader_error) {
  for (const Remedy& remedy : kRemedies)
    if (loader_error.starts_with(remedy.library))
      return message("the GPU module cannot be loaded (", loader_error, "): ", remedy.advice);
  return message("the GPU module cannot be loaded (", loader_error, ")");
}

struct Opened {
  const skiff_backend* table = nullptr;
  std::string why;
};

Opened open_module() {
  const Path path = find_module();
  if (*path.c_str() == '\0')
    return {nullptr, message(kFile,
                             " is not installed: this is a build for the CPU, build with "
                             "-DSKIFF_CUDA=ON for the GPU")};
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {nullptr, explain(dlerror())};
  const auto entry = reinterpret_cast<skiff_backend_entry>(dlsym(library, SKIFF_BACKEND_ENTRY));
  const skiff_backend* table = entry == nullptr ? nullptr : entry(SKIFF_BACKEND_VERSION);
  if (table == nullptr || table->size < sizeof(skiff_backend))
    return {nullptr, message(path.c_str(), " is of another version of Skiff: install both again")};
  return {table, ""};
}

}  // namespace

bool module_exists() noexcept { return *find_module().c_str() != '\0'; }

const skiff_backend* module(std::string& why) {
  // Only a module that was found is remembered: nothing is kept where there is none.
  static std::mutex mutex;
  static const skiff_backend* table = nullptr;
  const std::lock_guard lock(mutex);
  if (table != nullptr) return table;
  Opened opened = open_module();
  why = std::move(opened.why);
  return table = opened.table;
}

}  // namespace skiff::backend
