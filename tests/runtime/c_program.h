#pragma once

#include <stddef.h>

/* Programs in C that use every function of skiff/skiff_c.h. Each returns NULL, or which of its
 * expectations was not met. */
#ifdef __cplusplus
extern "C" {
#endif

/* A model file in memory. */
typedef struct file_bytes {
  const void* bytes;
  size_t size;
} file_bytes;

/* `picture` and `sizes` are those of tests/support/model_samples.h. */
const char* c_describes_models(const char* picture_path, file_bytes picture);
const char* c_describes_sizes(file_bytes sizes);
const char* c_resizes_and_keeps_states(file_bytes sizes);
const char* c_watches_steps(file_bytes picture);
const char* c_gives_memory(file_bytes picture);
const char* c_sets_options(file_bytes picture);
const char* c_speaks_other_versions(file_bytes picture);
const char* c_classifies(file_bytes picture);
/* Hands on an image [1, 2, 2, 3] (uint8, scale 1/255), boxes [1, 3, 4] and scores [1, 3, 2]. */
const char* c_detects(file_bytes boxes);
/* Hands on an image [1, 2, 2, 3] of floats, whose channels are classes. */
const char* c_segments(file_bytes mask);
const char* c_gives_nothing(file_bytes picture);

#ifdef __cplusplus
}
#endif
