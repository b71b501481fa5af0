#pragma once

#include <cstddef>

// What the doubles of CUDA's libraries offer besides CUDA's own functions: to each other, to the
// emulated kernels and to tests. Exported by the double of libcudart; plain C, so that nothing
// depends on who compiled what.
extern "C" {

struct cuda_double_dim {
  unsigned x, y, z;
};

/// A kernel compiled for the host. `run` executes a whole grid and returns a cudaError_t; on
/// failure `error` says which block and thread did what.
struct cuda_double_kernel {
  const char* name;
  const void* address;  ///< what a launch names it by
  int count;            ///< parameters
  const std::size_t* sizes;
  int (*run)(cuda_double_dim grid, cuda_double_dim block, void** arguments, char* error,
             std::size_t error_size);
};
void cuda_double_register(const cuda_double_kernel* kernel);

/// Every function of the doubles that can fail asks this first: a cudaError_t to return, or 0.
int cuda_double_enter(const char* function);
/// Puts work on a stream; `drop` frees the context once the work cannot run any more.
void cuda_double_submit(void* stream, void (*run)(void* context), void* context,
                        void (*drop)(void* context));

/// The device that is there.
struct cuda_double_device {
  int count;           ///< devices; 0: none
  int driver_version;  ///< as cudaDriverGetVersion gives it; 0: no driver
  int major, minor;    ///< compute capability
  int integrated;
  int has_image;     ///< 0: kernels were not compiled for this device
  int cudnn;         ///< version that cuDNN claims to be; 0: the right one
  int runtime = 0;   ///< the same of libcudart
  int cublaslt = 0;  ///< the same of cuBLASLt
};
void cuda_double_set_device(const cuda_double_device* device);
int cuda_double_cudnn_version(void);
int cuda_double_cublaslt_version(void);

/// The call number `call` (1: the next one) of `function` (null: of any) returns `code`.
void cuda_double_fail_at(const char* function, long call, int code);
/// Calls that could have failed, since the start.
long cuda_double_calls(void);

/// The device's clock, which no time passes for but that of work: 1 ms for each piece of it, or
/// what was set for its kind ("cudnn 1": engine 1; "cublaslt 4096": the algorithm with that
/// scratch; a part of a kernel's name). reset() forgets the settings.
void cuda_double_set_cost(const char* kind, double ms);
/// Work of that kind runs now.
void cuda_double_spend(const char* kind);

/// Live allocations, device and pinned together, and how many there were ever.
long cuda_double_live(void);
std::size_t cuda_double_live_bytes(void);
/// What the driver says is in use: of other programs, of contexts, and what was allocated.
std::size_t cuda_double_used_bytes(void);
/// What a context takes.
constexpr std::size_t kCudaDoubleContext = std::size_t{200} << 20;
long cuda_double_allocations(void);
/// Streams, graphs, events and library handles that were made and not destroyed.
long cuda_double_objects(void);
void cuda_double_count_object(int change);

long cuda_double_graph_launches(void);
long cuda_double_waits(void);  ///< synchronisations

/// Memory errors and the like are collected here: "" when there were none. reset() forgets them, as
/// it does errors that stick to the device.
const char* cuda_double_complaints(void);
void cuda_double_reset(void);
}
