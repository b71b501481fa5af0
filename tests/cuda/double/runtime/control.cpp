#include "tests/cuda/double/runtime/machine.h"

namespace cuda_double {

Machine& machine() {
  static Machine* const one = new Machine;  // outlives whoever still holds memory at exit
  return *one;
}

}  // namespace cuda_double

using namespace cuda_double;

CUDA_DOUBLE int cuda_double_enter(const char* function) {
  Machine& m = machine();
  const std::lock_guard<std::recursive_mutex> lock(m.mutex);
  ++m.calls;
  if (m.sticky != cudaSuccess) return m.sticky;
  const bool counts = m.fault_function.empty() || m.fault_function == function;
  if (m.fault_call == 0 || !counts || --m.fault_call != 0) return cudaSuccess;
  return m.result(m.fault_code);
}
CUDA_DOUBLE void cuda_double_submit(void* stream, void (*run)(void*), void* context,
                                    void (*drop)(void*)) {
  const std::lock_guard<std::recursive_mutex> lock(machine().mutex);
  const std::shared_ptr<void> held(context, drop);
  submit(stream_of(static_cast<cudaStream_t>(stream)), [=] {
    run(held.get());
    return cudaSuccess;
  });
}
CUDA_DOUBLE void cuda_double_set_device(const cuda_double_device* device) {
  machine().device = *device;
}
CUDA_DOUBLE int cuda_double_cudnn_version() { return machine().device.cudnn; }
CUDA_DOUBLE int cuda_double_cublaslt_version() { return machine().device.cublaslt; }
CUDA_DOUBLE void cuda_double_fail_at(const char* function, long call, int code) {
  Machine& m = machine();
  m.fault_function = function == nullptr ? "" : function;
  m.fault_call = call;
  m.fault_code = static_cast<cudaError_t>(code);
}
CUDA_DOUBLE void cuda_double_set_cost(const char* kind, double ms) { machine().costs[kind] = ms; }
CUDA_DOUBLE void cuda_double_spend(const char* kind) {
  Machine& m = machine();
  const std::lock_guard<std::recursive_mutex> lock(m.mutex);
  double cost = 1;
  for (const auto& [part, ms] : m.costs)
    if (std::string_view(kind).find(part) != std::string_view::npos) cost = ms;
  m.now += cost;
}
CUDA_DOUBLE long cuda_double_calls() { return machine().calls; }
CUDA_DOUBLE long cuda_double_live() { return static_cast<long>(machine().allocations.size()); }
CUDA_DOUBLE size_t cuda_double_live_bytes() { return machine().live_bytes; }
CUDA_DOUBLE size_t cuda_double_used_bytes() {
  const Machine& m = machine();
  std::size_t bytes = std::size_t{1} << 30;
  if (m.has_context) bytes += kCudaDoubleContext;
  for (const auto& [address, allocation] : m.allocations)
    if (allocation.device) bytes += allocation.bytes;
  return bytes;
}
CUDA_DOUBLE long cuda_double_allocations() { return machine().allocated; }
CUDA_DOUBLE long cuda_double_objects() { return machine().objects; }
CUDA_DOUBLE void cuda_double_count_object(int change) { machine().objects += change; }
CUDA_DOUBLE long cuda_double_graph_launches() { return machine().launches; }
CUDA_DOUBLE long cuda_double_waits() { return machine().waits; }
CUDA_DOUBLE const char* cuda_double_complaints() { return machine().complaints.c_str(); }
CUDA_DOUBLE void cuda_double_reset() {
  Machine& m = machine();
  m.complaints.clear();
  m.last = m.sticky = cudaSuccess;
  m.fault_call = 0;
  m.costs.clear();
}
