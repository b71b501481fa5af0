#include <sys/mman.h>

#include <cstring>

#include "tests/cuda/double/runtime/machine.h"

// Device memory is host memory whose end lies against a guard page. It starts as NaN, what rounding
// leaves behind its end is a canary, and the host faults when it touches it outside stream work.
namespace cuda_double {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kAlignment = 256;
constexpr unsigned char kNothing = 0xff, kCanary = 0xa5;

std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

void protect(const Allocation& allocation, int access) {
  if (allocation.device)
    mprotect(allocation.mapping + kPage, allocation.mapped - 2 * kPage, access);
}

cudaError_t allocate(void** address, std::size_t bytes, bool device) {
  Machine& m = machine();
  *address = nullptr;
  if (bytes == 0) return cudaSuccess;
  const std::size_t rounded = round_up(bytes, kAlignment), inside = round_up(rounded, kPage);
  void* mapping = mmap(nullptr, inside + 2 * kPage, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return m.result(cudaErrorMemoryAllocation);
  char* const begin = static_cast<char*>(mapping) + kPage;
  mprotect(begin, inside, PROT_READ | PROT_WRITE);
  char* const data = begin + inside - rounded;
  std::memset(data, kNothing, bytes);
  std::memset(data + bytes, kCanary, rounded - bytes);
  const Allocation allocation{static_cast<char*>(mapping), inside + 2 * kPage, bytes, device};
  m.allocations[data] = allocation;
  if (m.accessing == 0) protect(allocation, PROT_NONE);
  m.live_bytes += bytes;
  ++m.allocated;
  *address = data;
  return cudaSuccess;
}

cudaError_t release(void* address, bool device) {
  Machine& m = machine();
  if (address == nullptr) return cudaSuccess;
  const auto found = m.allocations.find(static_cast<char*>(address));
  if (found == m.allocations.end() || found->second.device != device) {
    m.complain("free of memory that was not given out this way");
    return m.result(cudaErrorInvalidValue);
  }
  drain_all();
  const Allocation allocation = found->second;
  protect(allocation, PROT_READ | PROT_WRITE);
  intact(found->first, allocation);
  m.live_bytes -= allocation.bytes;
  m.allocations.erase(found);
  munmap(allocation.mapping, allocation.mapped);
  return cudaSuccess;
}

}  // namespace

bool intact(char* address, const Allocation& allocation) {
  const std::size_t rounded = round_up(allocation.bytes, kAlignment);
  for (std::size_t i = allocation.bytes; i < rounded; ++i)
    if (static_cast<unsigned char>(address[i]) != kCanary) {
      machine().complain("write past the end of an allocation of " +
                         std::to_string(allocation.bytes) + " bytes");
      return false;
    }
  return true;
}

bool owns(const void* address) {
  const auto* at = static_cast<const char*>(address);
  auto next = machine().allocations.upper_bound(const_cast<char*>(at));
  if (next == machine().allocations.begin()) return false;
  --next;
  return at < next->first + next->second.bytes;
}

DeviceAccess::DeviceAccess() {
  if (machine().accessing++ == 0)
    for (const auto& [address, allocation] : machine().allocations)
      protect(allocation, PROT_READ | PROT_WRITE);
}

DeviceAccess::~DeviceAccess() {
  if (--machine().accessing == 0)
    for (const auto& [address, allocation] : machine().allocations) protect(allocation, PROT_NONE);
}

}  // namespace cuda_double

using namespace cuda_double;

CUDA_DOUBLE cudaError_t cudaMalloc(void** address, size_t bytes) {
  CUDA_DOUBLE_ENTER();
  return allocate(address, bytes, true);
}
CUDA_DOUBLE cudaError_t cudaFree(void* address) {
  CUDA_DOUBLE_LEAVE();
  const cudaError_t result = release(address, true);
  return injected != cudaSuccess ? injected : result;
}
CUDA_DOUBLE cudaError_t cudaHostAlloc(void** address, size_t bytes, unsigned /*flags*/) {
  CUDA_DOUBLE_ENTER();
  return allocate(address, bytes, false);
}
CUDA_DOUBLE cudaError_t cudaFreeHost(void* address) {
  CUDA_DOUBLE_LEAVE();
  const cudaError_t result = release(address, false);
  return injected != cudaSuccess ? injected : result;
}
CUDA_DOUBLE cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned /*flags*/) {
  CUDA_DOUBLE_ENTER();
  *device = host;
  return owns(host) ? cudaSuccess : machine().result(cudaErrorInvalidValue);
}
CUDA_DOUBLE cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  CUDA_DOUBLE_ENTER();
  *total = size_t{8} << 30;
  *free = *total - cuda_double_used_bytes();
  return cudaSuccess;
}
