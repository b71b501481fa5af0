#include <cuda.h>
#include <dlfcn.h>
#include <elf.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "tests/cuda/double/runtime/machine.h"

// The driver's part in code that is compiled at run time: a module is a shared library for the host
// that holds an entry for each kernel (double/nvrtc).
namespace cuda_double {
namespace {

/// The driver's errors have the runtime library's numbers.
CUresult driver(cudaError_t error) { return static_cast<CUresult>(error); }

/// Bytes of an ELF file whose sections' table comes last, as linkers write it; 0: it is none.
std::size_t size_of_image(const void* image) {
  Elf64_Ehdr head;
  std::memcpy(&head, image, sizeof(head));
  if (std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) return 0;
  return head.e_shoff + std::size_t{head.e_shnum} * head.e_shentsize;
}

/// A file of its own each time: the loader knows libraries by their names and files.
void* open_image(const void* image, std::size_t size) {
  std::string path = (std::filesystem::temp_directory_path() / "skiff-code-XXXXXX").string();
  const int file = mkstemp(path.data());
  if (file < 0) return nullptr;
  const bool written = write(file, image, size) == static_cast<ssize_t>(size);
  close(file);
  void* const library = written ? dlopen(path.c_str(), RTLD_NOW) : nullptr;
  unlink(path.c_str());
  return library;
}

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  CUDA_DOUBLE_ENTER_AS(CUresult);
  const std::size_t size = size_of_image(image);
  void* const library = size == 0 ? nullptr : open_image(image, size);
  if (library == nullptr) return driver(machine().result(cudaErrorInvalidKernelImage));
  cuda_double_count_object(1);
  *module = static_cast<CUmodule>(library);
  return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  CUDA_DOUBLE_ENTER_AS(CUresult);
  const void* const entry = dlsym(module, (std::string("cuda_double_entry_") + name).c_str());
  if (entry == nullptr) return driver(machine().result(cudaErrorSymbolNotFound));
  const auto* const kernel = static_cast<const cuda_double_kernel*>(entry);
  machine().compiled[kernel] = module;
  *function = reinterpret_cast<CUfunction>(const_cast<cuda_double_kernel*>(kernel));
  return CUDA_SUCCESS;
}

CUresult cuModuleUnload(CUmodule module) {
  const std::lock_guard<std::recursive_mutex> lock(machine().mutex);
  std::erase_if(machine().compiled, [&](const auto& entry) { return entry.second == module; });
  dlclose(module);
  cuda_double_count_object(-1);
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                        unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                        CUstream stream, void** arguments, void**) {
  CUDA_DOUBLE_ENTER_AS(CUresult);
  const auto* const kernel = reinterpret_cast<const cuda_double_kernel*>(function);
  return driver(launch(kernel, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, arguments,
                       shared, stream));
}

struct EntryPoint {
  std::string_view name;
  void* function;
};
const EntryPoint kEntryPoints[] = {
    {"cuModuleLoadData", reinterpret_cast<void*>(cuModuleLoadData)},
    {"cuModuleGetFunction", reinterpret_cast<void*>(cuModuleGetFunction)},
    {"cuModuleUnload", reinterpret_cast<void*>(cuModuleUnload)},
    {"cuLaunchKernel", reinterpret_cast<void*>(cuLaunchKernel)}};

}  // namespace
}  // namespace cuda_double

using namespace cuda_double;

CUDA_DOUBLE cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function,
                                                         unsigned, unsigned long long,
                                                         cudaDriverEntryPointQueryResult* found) {
  CUDA_DOUBLE_ENTER();
  *function = nullptr;
  for (const EntryPoint& entry : kEntryPoints)
    if (entry.name == name) *function = entry.function;
  *found = *function == nullptr ? cudaDriverEntryPointSymbolNotFound : cudaDriverEntryPointSuccess;
  return cudaSuccess;
}
