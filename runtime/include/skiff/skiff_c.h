#ifndef SKIFF_C_H
#define SKIFF_C_H

/* The C API: the same as the C++ one, for programs in C and for other languages. No function
 * throws; those that can fail return a code of skiff::ErrorCode (0: good) and leave a message that
 * skiff_last_error() gives to the same thread until its next failing call. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKIFF_C_API __attribute__((visibility("default")))

typedef struct skiff_model skiff_model;
typedef struct skiff_session skiff_session;

typedef struct skiff_session_options {
  uint32_t size;         /* sizeof(skiff_session_options): what the caller was compiled with */
  int32_t device;        /* 0 automatic, 1 CPU, 2 CUDA */
  int32_t threads;       /* 0: one */
  int32_t strict_gpu;    /* not 0: fail instead of falling back to the CPU */
  const char* isa;       /* NULL: the best one here */
  uint64_t memory_limit; /* bytes for model and session; 0: as the file says, else none */
  /* Since 0.1, as in skiff::SessionOptions: */
  void* stream;           /* a cudaStream_t to run on; NULL: one of its own */
  int32_t gpu;            /* which one, of several */
  int32_t tuning;         /* 0 off, 1 fast, 2 full */
  const char* plan_cache; /* file with the results of tuning; NULL: in the user's cache folder */
  int32_t fuse;           /* layers as one step: 0 automatic, 1 off, 2 on */
  int32_t tf32;           /* not 0: the GPU may round operands of float32 products to TF32 */
} skiff_session_options;

/* A shape for an input. */
typedef struct skiff_input_shape {
  size_t input; /* index */
  int32_t rank;
  int64_t shape[8];
} skiff_input_shape;

/* A view of a session's memory, valid as long as the session. dtype as in skiff/dtype.h. */
typedef struct skiff_tensor {
  const char* name; /* not ended by NUL: name_length bytes */
  size_t name_length;
  int32_t dtype;
  int32_t rank;
  int64_t shape[8];
  void* data;
  size_t bytes;
} skiff_tensor;

SKIFF_C_API const char* skiff_last_error(void);

/* The model file's metadata, checked. *model is set only on success; free it with
 * skiff_model_free(), sessions that were made from it stay valid. */
SKIFF_C_API int32_t skiff_model_load(const char* path, skiff_model** model);
/* `bytes` must stay unchanged as long as the model or a session lives. */
SKIFF_C_API int32_t skiff_model_from_bytes(const void* bytes, size_t size, skiff_model** model);
SKIFF_C_API void skiff_model_free(skiff_model* model);

/* All memory is taken here. options may be NULL. */
SKIFF_C_API int32_t skiff_session_create(const skiff_model* model,
                                         const skiff_session_options* options,
                                         skiff_session** session);
SKIFF_C_API void skiff_session_free(skiff_session* session);

SKIFF_C_API size_t skiff_session_input_count(const skiff_session* session);
SKIFF_C_API size_t skiff_session_output_count(const skiff_session* session);
SKIFF_C_API int32_t skiff_session_input(const skiff_session* session, size_t index,
                                        skiff_tensor* tensor);
SKIFF_C_API int32_t skiff_session_output(const skiff_session* session, size_t index,
                                         skiff_tensor* tensor);

/* Another shape for an input, within the model's bounds; see Session::resize. Describe tensors anew
 * afterwards. */
SKIFF_C_API int32_t skiff_session_resize(skiff_session* session, size_t input, const int64_t* shape,
                                         int32_t rank);
/* The same for several inputs at once. */
SKIFF_C_API int32_t skiff_session_resize_all(skiff_session* session,
                                             const skiff_input_shape* shapes, size_t count);
/* On a GPU: makes resizing to these shapes possible and free of allocation. May allocate; changes
 * nothing when it fails; see Session::prepare. */
SKIFF_C_API int32_t skiff_session_prepare(skiff_session* session, const skiff_input_shape* shapes,
                                          size_t count);
/* Declared states start afresh. */
SKIFF_C_API void skiff_session_reset(skiff_session* session);

/* Computes the outputs; allocates nothing unless it fails. An output whose size depends on data has
 * its real shape afterwards: describe it anew. */
SKIFF_C_API int32_t skiff_session_run(skiff_session* session);

/* Bytes of the peak from the start of load until the session exists. */
SKIFF_C_API uint64_t skiff_session_memory_total(const skiff_session* session);

#ifdef __cplusplus
}
#endif

#endif
