#ifndef SKIFF_C_H
#define SKIFF_C_H

/* The C API: the same as the C++ one, for programs in C and for other languages.
 *
 * Errors. No function throws; those that can fail return a skiff_error_code (0: good) and leave a
 * message that skiff_last_error() gives to the same thread until its next failing call. A pointer
 * that must not be NULL and is gives SKIFF_ERROR_INVALID_ARGUMENT. What a function was to fill is
 * unchanged where it fails.
 *
 * Versions. Structs that begin with `size` may grow at their end. The caller sets it to sizeof the
 * struct, in those that a function fills too, and all that it does not know to 0: an older
 * program's struct is taken for what it has, a newer one's where what this library does not know is
 * 0 (else SKIFF_ERROR_UNSUPPORTED). Other structs never change.
 *
 * Ownership. Models and sessions are freed by the caller; all that they hand out, texts too, is
 * theirs and lives as long as they do. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKIFF_C_API __attribute__((visibility("default")))

typedef struct skiff_model skiff_model;
typedef struct skiff_session skiff_session;

/* Numbers and meanings are those of the C++ enumerations. */

/* skiff::ErrorCode */
typedef enum skiff_error_code {
  SKIFF_OK = 0,
  SKIFF_ERROR_INVALID_ARGUMENT = 1,
  SKIFF_ERROR_NOT_FOUND = 2,
  SKIFF_ERROR_IO = 3,
  SKIFF_ERROR_INVALID_MODEL = 4,
  SKIFF_ERROR_UNSUPPORTED = 5,
  SKIFF_ERROR_BUDGET_EXCEEDED = 6,
  SKIFF_ERROR_OUT_OF_MEMORY = 7,
  SKIFF_ERROR_DEVICE = 8,
  SKIFF_ERROR_BAD_VALUE = 9,
  SKIFF_ERROR_INTERNAL = 10
} skiff_error_code;

/* skiff::DType */
typedef enum skiff_dtype {
  SKIFF_DTYPE_NONE = 0,
  SKIFF_DTYPE_FLOAT32 = 1,
  SKIFF_DTYPE_FLOAT16 = 2,
  SKIFF_DTYPE_BFLOAT16 = 3,
  SKIFF_DTYPE_FLOAT64 = 4,
  SKIFF_DTYPE_INT8 = 5,
  SKIFF_DTYPE_UINT8 = 6,
  SKIFF_DTYPE_INT16 = 7,
  SKIFF_DTYPE_UINT16 = 8,
  SKIFF_DTYPE_INT32 = 9,
  SKIFF_DTYPE_UINT32 = 10,
  SKIFF_DTYPE_INT64 = 11,
  SKIFF_DTYPE_UINT64 = 12,
  SKIFF_DTYPE_BOOLEAN = 13
} skiff_dtype;

/* skiff::DeviceKind */
typedef enum skiff_device {
  SKIFF_DEVICE_AUTOMATIC = 0,
  SKIFF_DEVICE_CPU = 1,
  SKIFF_DEVICE_CUDA = 2
} skiff_device;
/* skiff::Tuning */
typedef enum skiff_tuning {
  SKIFF_TUNING_OFF = 0,
  SKIFF_TUNING_FAST = 1,
  SKIFF_TUNING_FULL = 2
} skiff_tuning;
/* skiff::Fuse */
typedef enum skiff_fuse {
  SKIFF_FUSE_AUTOMATIC = 0,
  SKIFF_FUSE_OFF = 1,
  SKIFF_FUSE_ON = 2
} skiff_fuse;
/* skiff::LogLevel */
typedef enum skiff_log_level {
  SKIFF_LOG_ERROR = 0,
  SKIFF_LOG_WARNING = 1,
  SKIFF_LOG_INFO = 2,
  SKIFF_LOG_DEBUG = 3
} skiff_log_level;
/* skiff::ColorOrder */
typedef enum skiff_color_order {
  SKIFF_COLOR_RGB = 0,
  SKIFF_COLOR_BGR = 1,
  SKIFF_COLOR_GRAY = 2
} skiff_color_order;
/* skiff::FitMode */
typedef enum skiff_fit_mode {
  SKIFF_FIT_STRETCH = 0,
  SKIFF_FIT_LETTERBOX = 1,
  SKIFF_FIT_CENTER_CROP = 2
} skiff_fit_mode;

/* skiff::PostprocessKind */
typedef enum skiff_postprocess_kind {
  SKIFF_POSTPROCESS_NONE = 0,
  SKIFF_POSTPROCESS_CLASSIFY = 1,
  SKIFF_POSTPROCESS_DETECT_ANCHORS = 2,
  SKIFF_POSTPROCESS_DETECT_CORNERS = 3,
  SKIFF_POSTPROCESS_DETECT_GRID = 4,
  SKIFF_POSTPROCESS_SEGMENT = 5
} skiff_postprocess_kind;

/* Not ended by NUL: `length` bytes of UTF-8. */
typedef struct skiff_text {
  const char* data;
  size_t length;
} skiff_text;

/* Where memory comes from; see skiff::Allocator. Called during load and destruction only. Both
 * functions NULL: the C library's. */
typedef struct skiff_allocator {
  /* `bytes` of memory aligned to `alignment` (a power of two), or NULL. */
  void* (*allocate)(void* context, size_t bytes, size_t alignment);
  void (*release)(void* context, void* memory, size_t bytes);
  void* context;
} skiff_allocator;

/* Receives what a session has to say while it is made; the library itself prints nothing. */
typedef struct skiff_log {
  void (*function)(void* user, int32_t level, const char* message); /* level: skiff_log_level */
  void* user;
} skiff_log;

/* Told by the thread that loads how far tuning has come: what is being done, and how much of it, 0
 * to 1. */
typedef struct skiff_progress {
  void (*function)(void* user, const char* stage, double done);
  void* user;
} skiff_progress;

typedef struct skiff_load_options {
  uint32_t size;             /* sizeof(skiff_load_options) */
  int32_t skip_digests;      /* not 0: do not check the SHA-256 of what is read */
  uint64_t memory_limit;     /* bytes that model and session together may take; 0: no limit */
  skiff_allocator allocator; /* for the model and its packed weights */
} skiff_load_options;

typedef struct skiff_session_options {
  uint32_t size;         /* sizeof(skiff_session_options): what the caller was compiled with */
  int32_t device;        /* skiff_device */
  int32_t threads;       /* incl. the one that calls run; 0: one */
  int32_t strict_gpu;    /* not 0: fail instead of falling back to the CPU */
  const char* isa;       /* "avx2", "neon" ...; NULL: the best one here */
  uint64_t memory_limit; /* bytes for model and session; 0: the model's, else the file's */
  /* Since 0.1, as in skiff::SessionOptions: */
  void* stream;           /* a cudaStream_t to run on, outlives the session; NULL: one of its own */
  int32_t gpu;            /* which one, of several */
  int32_t tuning;         /* skiff_tuning */
  const char* plan_cache; /* file with the results of tuning; NULL: in the user's cache folder */
  int32_t fuse;           /* skiff_fuse: layers as one step */
  int32_t tf32;           /* not 0: the GPU may round operands of float32 products to TF32 */
  skiff_allocator allocator; /* for everything of the session */
  void* arena; /* the arena's memory, 256-byte aligned, outlives the session; NULL: allocated */
  size_t arena_bytes; /* at least skiff_memory_report's arena less device_arena */
  skiff_log log;
  void* device_arena;        /* the GPU's part, allocated there by the caller; NULL: allocated */
  size_t device_arena_bytes; /* at least skiff_memory_report's device_arena */
  skiff_progress progress;
} skiff_session_options;

/* Bytes a session and its model take; see skiff::MemoryReport. */
typedef struct skiff_memory_report {
  uint32_t size;                /* sizeof(skiff_memory_report) */
  int32_t arena_proved_minimal; /* not 0: no packing below `arena` exists */
  uint64_t weights;
  uint64_t arena;                   /* activations and scratch, inputs and outputs not */
  uint64_t arena_lower_bound;       /* most bytes live at once: no packing is smaller */
  uint64_t arena_lower_bound_plain; /* the same without fusion of memory (aliasing) */
  uint64_t device_arena;            /* part of `arena` that is the GPU's */
  uint64_t workspace;               /* largest scratch of one step, part of `arena` */
  uint64_t io;                      /* inputs and outputs */
  uint64_t other;                   /* metadata, kernels, threads */
  uint64_t total;                   /* weights + arena + io + other */
} skiff_memory_report;

/* A shape for an input. */
typedef struct skiff_input_shape {
  size_t input; /* index */
  int32_t rank;
  int64_t shape[8];
} skiff_input_shape;

/* A view of a session's memory, dense and row-major, valid as long as the session; or what a model
 * says of it. */
typedef struct skiff_tensor {
  const char* name; /* not ended by NUL: name_length bytes */
  size_t name_length;
  int32_t dtype; /* skiff_dtype */
  int32_t rank;
  int64_t shape[8]; /* outermost first */
  void* data;       /* NULL in what a model says */
  size_t bytes;
} skiff_tensor;

/* real = scale * (stored - zero_point); count 0: not quantised. One entry, or one per index along
 * `axis`. */
typedef struct skiff_quantization {
  const float* scale;
  size_t scale_count;
  const int64_t* zero_point;
  size_t zero_point_count; /* 0: all are 0 */
  int32_t axis;
} skiff_quantization;

typedef struct skiff_model_info {
  uint32_t size; /* sizeof(skiff_model_info) */
  skiff_text name;
  size_t input_count;
  size_t output_count;
  size_t symbol_count; /* sizes that may change; 0: every shape is fixed */
  size_t label_count;
} skiff_model_info;

/* A size that may change from run to run, within bounds. */
typedef struct skiff_symbol {
  uint32_t size;   /* sizeof(skiff_symbol) */
  int32_t counted; /* not 0: the model sets it when it runs; else an input's shape does */
  skiff_text name;
  int64_t min, opt, max; /* opt: the one the model was optimised for */
  int64_t multiple_of;
} skiff_symbol;

/* How a picture becomes an input: value = (pixel / 255 * pixel_scale - mean) / std a channel. */
typedef struct skiff_preprocessing {
  uint32_t size;   /* sizeof(skiff_preprocessing) */
  int32_t present; /* 0: the file says nothing */
  int32_t color;   /* skiff_color_order */
  int32_t fit;     /* skiff_fit_mode */
  const float* mean;
  size_t mean_count; /* 0: all are 0 */
  const float* std;
  size_t std_count; /* 0: all are 1 */
  float pixel_scale;
  float pad_value; /* letterbox border, 0..255 */
  int32_t height_axis, width_axis, channel_axis;
} skiff_preprocessing;

/* What the outputs mean; see skiff::Postprocessing. */
typedef struct skiff_postprocessing {
  uint32_t size;                        /* sizeof(skiff_postprocessing) */
  int32_t kind;                         /* skiff_postprocess_kind; none: the file says nothing */
  int32_t scores;                       /* index of an output */
  int32_t boxes;                        /* the same; -1: none */
  int32_t apply_softmax, apply_sigmoid; /* not 0: yes */
  float score_threshold, iou_threshold;
  const float* anchors; /* (cx, cy, w, h) in [0, 1] */
  size_t anchors_count; /* floats */
  float box_scale;
  int32_t keypoints;
  int32_t background;   /* class that is no object; -1: none */
  int32_t channel_axis; /* -1: the last */
  float score_clip;     /* 0: none */
} skiff_postprocessing;

typedef struct skiff_session_info {
  uint32_t size;  /* sizeof(skiff_session_info) */
  int32_t device; /* SKIFF_DEVICE_CUDA when a GPU takes part */
  int32_t threads;
  const char* isa; /* instruction set in use, e.g. "avx512" */
  size_t step_count;
} skiff_session_info;

/* One step of a session, for profiles and listings. */
typedef struct skiff_step {
  uint32_t size;   /* sizeof(skiff_step) */
  int32_t device;  /* where it runs */
  skiff_text name; /* of the node */
  skiff_text op;
  skiff_text algorithm; /* kernel chosen */
  skiff_text why_cpu;   /* of a session with a GPU: why it does not run there */
  int64_t flops;        /* 0: not counted */
  int64_t bytes;        /* operands and results */
  int64_t workspace;    /* bytes */
  int32_t tensor_cores; /* not 0: uses those of the GPU */
  int32_t layers;       /* nodes of the model in it: more than one where they were fused */
  size_t output_count;
  int32_t output_rank;     /* of the first result */
  int64_t output_shape[8]; /* the same */
} skiff_step;

/* A picture of the caller's, rows of interleaved 8-bit channels (1: grey, 3: RGB, 4: RGBA) without
 * gaps. */
typedef struct skiff_image {
  const uint8_t* pixels;
  int32_t width, height, channels;
} skiff_image;

/* Where a picture landed in an input: input = picture * scale + offset, in pixels. */
typedef struct skiff_placement {
  float scale_x, scale_y, offset_x, offset_y;
} skiff_placement;

typedef struct skiff_classification {
  int32_t index; /* of the class, and of its label */
  float score;
} skiff_classification;

/* A box in pixels of the original picture. */
typedef struct skiff_detection {
  int32_t label; /* index */
  float score;
  float x1, y1, x2, y2;
} skiff_detection;

/* ------------------------------------------------------------------------------------------------
 * Errors and types */

SKIFF_C_API const char* skiff_last_error(void);
/* Short stable name of a code, e.g. "invalid_model". */
SKIFF_C_API const char* skiff_error_name(int32_t code);
/* Bytes of one element; 0 for anything that is no skiff_dtype. */
static inline size_t skiff_dtype_size(int32_t dtype) {
  static const unsigned char sizes[] = {0, 4, 2, 2, 8, 1, 1, 2, 2, 4, 4, 8, 8, 1};
  return dtype > 0 && dtype < (int32_t)sizeof(sizes) ? sizes[dtype] : 0;
}

/* ------------------------------------------------------------------------------------------------
 * Models */

/* The model file's metadata, checked; weights are read when a session is made. *model is set only
 * on success; free it with skiff_model_free(), sessions that were made from it stay valid. Errors
 * as of skiff::Model::load. */
SKIFF_C_API int32_t skiff_model_load(const char* path, skiff_model** model);
/* `bytes` must stay unchanged as long as the model or a session lives. */
SKIFF_C_API int32_t skiff_model_from_bytes(const void* bytes, size_t size, skiff_model** model);
/* The same with options, which may be NULL. */
SKIFF_C_API int32_t skiff_model_load_with(const char* path, const skiff_load_options* options,
                                          skiff_model** model);
SKIFF_C_API int32_t skiff_model_from_bytes_with(const void* bytes, size_t size,
                                                const skiff_load_options* options,
                                                skiff_model** model);
/* Does nothing with NULL. */
SKIFF_C_API void skiff_model_free(skiff_model* model);

/* An index past the end is SKIFF_ERROR_NOT_FOUND in all of these. */

SKIFF_C_API int32_t skiff_model_describe(const skiff_model* model, skiff_model_info* info);
/* A shape that may change is the largest. `quantization` may be NULL; it is that of the session's
 * tensors too. */
SKIFF_C_API int32_t skiff_model_input(const skiff_model* model, size_t index, skiff_tensor* tensor,
                                      skiff_quantization* quantization);
SKIFF_C_API int32_t skiff_model_output(const skiff_model* model, size_t index, skiff_tensor* tensor,
                                       skiff_quantization* quantization);
SKIFF_C_API int32_t skiff_model_symbol(const skiff_model* model, size_t index,
                                       skiff_symbol* symbol);
/* Which symbol an axis of an input is; -1: its extent is fixed. */
SKIFF_C_API int32_t skiff_model_input_symbol(const skiff_model* model, size_t input, int32_t axis,
                                             int32_t* symbol);
SKIFF_C_API int32_t skiff_model_preprocessing(const skiff_model* model, size_t input,
                                              skiff_preprocessing* preprocessing);
SKIFF_C_API int32_t skiff_model_postprocessing(const skiff_model* model,
                                               skiff_postprocessing* postprocessing);
SKIFF_C_API int32_t skiff_model_label(const skiff_model* model, size_t index, skiff_text* label);

/* ------------------------------------------------------------------------------------------------
 * Sessions */

/* The memory such a session would take, to the byte, without allocating or reading weights (what
 * the handle itself takes, some hundred bytes of malloc, is not counted). options may be NULL. */
SKIFF_C_API int32_t skiff_session_predict(const skiff_model* model,
                                          const skiff_session_options* options,
                                          skiff_memory_report* memory);

/* All memory is taken here. *session is set only on success; free it with skiff_session_free().
 * options may be NULL; they are copied, texts need not outlive the call. A session belongs to one
 * thread at a time. */
SKIFF_C_API int32_t skiff_session_create(const skiff_model* model,
                                         const skiff_session_options* options,
                                         skiff_session** session);
/* Does nothing with NULL. */
SKIFF_C_API void skiff_session_free(skiff_session* session);

/* The session's own handle of its model, valid as long as the session and not to be freed; NULL for
 * NULL. */
SKIFF_C_API const skiff_model* skiff_session_model(const skiff_session* session);
SKIFF_C_API int32_t skiff_session_describe(const skiff_session* session, skiff_session_info* info);
SKIFF_C_API int32_t skiff_session_memory(const skiff_session* session, skiff_memory_report* memory);
/* Its total alone: bytes of the peak from the start of load until the session exists. 0 for NULL.
 */
SKIFF_C_API uint64_t skiff_session_memory_total(const skiff_session* session);

/* 0 for NULL. */
SKIFF_C_API size_t skiff_session_input_count(const skiff_session* session);
SKIFF_C_API size_t skiff_session_output_count(const skiff_session* session);
SKIFF_C_API int32_t skiff_session_input(const skiff_session* session, size_t index,
                                        skiff_tensor* tensor);
SKIFF_C_API int32_t skiff_session_output(const skiff_session* session, size_t index,
                                         skiff_tensor* tensor);
/* By name, which NUL ends; SKIFF_ERROR_NOT_FOUND lists those there are. */
SKIFF_C_API int32_t skiff_session_input_named(const skiff_session* session, const char* name,
                                              skiff_tensor* tensor);
SKIFF_C_API int32_t skiff_session_output_named(const skiff_session* session, const char* name,
                                               skiff_tensor* tensor);

/* Another shape for an input, within the model's bounds; see Session::resize. Allocates nothing
 * unless it fails; changes nothing then. Describe tensors anew afterwards. */
SKIFF_C_API int32_t skiff_session_resize(skiff_session* session, size_t input, const int64_t* shape,
                                         int32_t rank);
/* The same for several inputs at once, each named once at most. */
SKIFF_C_API int32_t skiff_session_resize_all(skiff_session* session,
                                             const skiff_input_shape* shapes, size_t count);
/* On a GPU: makes resizing to these shapes possible and free of allocation. May allocate; changes
 * nothing when it fails; see Session::prepare. */
SKIFF_C_API int32_t skiff_session_prepare(skiff_session* session, const skiff_input_shape* shapes,
                                          size_t count);
/* Declared states and variables start afresh. Does nothing with NULL. */
SKIFF_C_API void skiff_session_reset(skiff_session* session);

/* Computes the outputs; allocates nothing. An output whose size depends on data has its real shape
 * afterwards: describe it anew. On the CPU subnormal numbers are zeros. */
SKIFF_C_API int32_t skiff_session_run(skiff_session* session);
/* The same with a call before each step (step < step_count) and one at the end. `observe` may be
 * NULL. */
SKIFF_C_API int32_t skiff_session_run_observed(skiff_session* session,
                                               void (*observe)(void* context, size_t step),
                                               void* context);

SKIFF_C_API int32_t skiff_session_step(const skiff_session* session, size_t index,
                                       skiff_step* step);
/* Result `output` of a step as it lies in memory now; what it holds is valid right after the step
 * ran. data is NULL while kernels write beside it. *value, unless NULL, becomes the index of the
 * result's value in the model's main graph. */
SKIFF_C_API int32_t skiff_session_step_output(const skiff_session* session, size_t index,
                                              size_t output, skiff_tensor* tensor, int32_t* value);

/* ------------------------------------------------------------------------------------------------
 * Pictures. These may allocate. SKIFF_ERROR_INVALID_ARGUMENT where the model file does not say how
 * its pictures or answers are. */

/* Resizes (bilinear), fits and normalises a picture into an input as the model file says.
 * *placement, which may be NULL, says where it landed. */
SKIFF_C_API int32_t skiff_set_image(skiff_session* session, const skiff_image* image, size_t input,
                                    skiff_placement* placement);
/* The best classes, best first, `capacity` of them at most; *count becomes how many. */
SKIFF_C_API int32_t skiff_classify(const skiff_session* session, skiff_classification* best,
                                   size_t capacity, size_t* count);
/* Boxes over the model's threshold after non-maximum suppression, best first, in pixels of the
 * picture that `placement` belongs to; `capacity` of them at most, *count becomes how many. */
SKIFF_C_API int32_t skiff_detect(const skiff_session* session, const skiff_placement* placement,
                                 skiff_detection* found, size_t capacity, size_t* count);
/* The class of every pixel of the picture (for one channel: 255 * its score): mask takes
 * mask_bytes == width * height bytes. */
SKIFF_C_API int32_t skiff_segment(const skiff_session* session, const skiff_placement* placement,
                                  int32_t width, int32_t height, uint8_t* mask, size_t mask_bytes);

#ifdef __cplusplus
}
#endif

#endif
