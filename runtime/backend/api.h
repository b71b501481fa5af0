#pragma once

#include <stddef.h>
#include <stdint.h>

// What crosses between the core and the GPU module (libskiff_cuda.so): C structs and one table of
// functions, nothing else. Both sides catch their own exceptions at this edge. Every struct that
// may grow begins with its size. Functions return a code of skiff::ErrorCode (0: good) and then
// leave a text in `error`.
extern "C" {

#define SKIFF_BACKEND_VERSION 5u

struct skiff_device;   ///< one session's hold on a GPU: stream, library handles
struct skiff_kernel;   ///< one node bound to a device
struct skiff_program;  ///< a recorded sequence of kernels and copies

struct skiff_backend_error {
  int32_t code;
  char text[508];
};

/// Memory for the objects of a session; freed by the core after they were destroyed. The context
/// lives that long too.
struct skiff_memory {
  void* (*allocate)(void* context, size_t bytes, size_t alignment);  ///< null: refused
  void* context;
};

struct skiff_tensor_info {
  int32_t dtype;  ///< skiff::DType; none: an optional operand that is absent
  int32_t rank;
  int64_t shape[8];
  int32_t constant;
  int32_t reserved;
  const void* quantization;  ///< skiff::fb::Quantization in the verified FlatBuffer, or null
};

/// A node whose rule accepted it. `attributes` points into the verified FlatBuffer.
struct skiff_node {
  uint32_t size;
  int32_t op;  ///< skiff::fb::OpKind
  int32_t version;
  int32_t input_count, output_count;
  const skiff_tensor_info* inputs;
  const skiff_tensor_info* outputs;
  const void* attributes;
  const char* name;
  size_t name_size;
  /// Evaluates entries of attribute fields marked "dim" in the schema for the present sizes; null:
  /// every one is a plain number.
  int64_t (*resolve)(const void* dims, int64_t dim);
  const void* dims;
  uint64_t most_workspace;  ///< algorithms that take more scratch are passed over
  const char* choice;       ///< the algorithm to take, by its name; null: the one ranked first
  int32_t exact;            ///< not another one where that is not to be had
  int32_t tf32;             ///< products of float32 may round their operands to TF32
};

struct skiff_kernel_info {
  uint64_t workspace;
  int64_t flops;
  uint32_t overwrites;  ///< bit i: output 0 may lie on the memory of input i
  int32_t tensor_cores;
  const char* algorithm;  ///< lives as long as the module
};

/// A kernel's own form of a constant operand; bytes 0: it takes the stored one. Operand -1 stands
/// for tables that the kernel computes itself (nothing is read then).
struct skiff_constant_form {
  uint64_t bytes, scratch, key;
};

/// Reads the stored bytes of a constant, front to back; returns a code of skiff::ErrorCode.
struct skiff_reader {
  int32_t (*read)(void* context, void* to, size_t bytes);
  void* context;
};

/// Receives what can be chosen for a node.
struct skiff_choices {
  /// Once: everything about the node that bears on how fast its algorithms are.
  void (*group)(void* context, const char* text);
  void (*name)(void* context, const char* algorithm);
  void* context;
};

struct skiff_launch {
  const void* const* inputs;
  void* const* outputs;
  void* workspace;
  const void* tables;
  int32_t* bad_value;  ///< kernels set it when an operand holds an index out of range
  /// Of a node that counts its results: their number. More than output 0 has room for are counted,
  /// not written. Null for other nodes.
  int64_t* count;
};

struct skiff_device_info {
  char name[128];
  int32_t major, minor, processors;  ///< compute capability, SMs
  int32_t integrated;                ///< shares the host's memory
  int32_t driver, runtime, cudnn, cublas;
  uint64_t memory;
  uint64_t cache;  ///< bytes of the second level
};

enum skiff_memory_kind { SKIFF_MEMORY_DEVICE = 0, SKIFF_MEMORY_PINNED = 1 };

struct skiff_backend {
  uint32_t size, version;

  /// Finds out whether GPU `ordinal` can be used: driver, device, libraries and their versions,
  /// code for it. The text says what is missing and what to do. Programs run on `stream`, a
  /// cudaStream_t of the caller's that outlives the device; null: on one of its own. Code that is
  /// compiled while loading is kept in `code_folder`, made when needed; "": in none.
  int32_t (*open)(int32_t ordinal, void* stream, const char* code_folder, skiff_device** device,
                  skiff_backend_error* error);
  void (*close)(skiff_device* device);
  int32_t (*describe)(skiff_device* device, skiff_device_info* info, skiff_backend_error* error);

  /// Memory belongs to the GPU, not to the device object. `mapped` gets the address of pinned
  /// memory as the GPU sees it.
  int32_t (*allocate)(int32_t ordinal, int32_t kind, uint64_t bytes, void** memory, void** mapped,
                      skiff_backend_error* error);
  void (*release)(int32_t ordinal, int32_t kind, void* memory, uint64_t bytes);
  int32_t (*upload)(skiff_device* device, void* to, const void* from, uint64_t bytes,
                    skiff_backend_error* error);

  /// Code unsupported: this node has no kernel here, the text says why.
  int32_t (*make_kernel)(skiff_device* device, const skiff_memory* memory, const skiff_node* node,
                         skiff_kernel** kernel, skiff_kernel_info* info,
                         skiff_backend_error* error);
  void (*destroy_kernel)(skiff_kernel* kernel);
  void (*constant_form)(const skiff_kernel* kernel, int32_t input, skiff_constant_form* form);
  int32_t (*pack)(skiff_kernel* kernel, int32_t input, const skiff_reader* reader, void* packed,
                  uint64_t bytes, void* scratch, uint64_t scratch_bytes,
                  skiff_backend_error* error);

  /// Between begin and end, enqueue and copy are recorded (or, with `record` 0, run at once, which
  /// loads every kernel's code). end() gives the program, none when nothing was recorded.
  int32_t (*begin)(skiff_device* device, int32_t record, skiff_backend_error* error);
  int32_t (*enqueue)(skiff_device* device, skiff_kernel* kernel, const skiff_launch* launch,
                     skiff_backend_error* error);
  int32_t (*copy)(skiff_device* device, void* to, const void* from, uint64_t bytes,
                  int32_t to_device, skiff_backend_error* error);
  int32_t (*end)(skiff_device* device, skiff_program** program, skiff_backend_error* error);
  void (*destroy_program)(skiff_program* program);

  /// One launch and one wait. No allocation.
  int32_t (*run)(skiff_device* device, skiff_program* program, skiff_backend_error* error);

  /// The algorithms that can be chosen for a node, `most` of each kind; none when there is no
  /// choice.
  int32_t (*choices)(skiff_device* device, const skiff_node* node, int32_t most,
                     const skiff_choices* take, skiff_backend_error* error);
  /// Milliseconds of the device for one launch, the median of `runs`. `flush`, memory of the device
  /// or null, is written before each.
  int32_t (*time)(skiff_device* device, skiff_program* program, void* flush, uint64_t flush_bytes,
                  int32_t runs, float* ms, skiff_backend_error* error);

  /// Whether code can be compiled while loading: NVRTC is there. Opens it.
  int32_t (*compiles)(void);

  /// Bytes that the GPU's context, code and libraries take now besides what allocate() gave:
  /// measured, disturbed by other programs. 0: it cannot be told.
  uint64_t (*footprint)(int32_t ordinal);
};

/// The module's one exported function; null when it does not speak `version`.
typedef const skiff_backend* (*skiff_backend_entry)(uint32_t version);
#define SKIFF_BACKEND_ENTRY "skiff_backend_v1"
}
