#include "tests/runtime/c_program.h"

#include <skiff/skiff_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define CHECK(condition)                                   \
  do {                                                     \
    if (!(condition)) return failed(__LINE__, #condition); \
  } while (0)
#define GOOD(call) CHECK((call) == SKIFF_OK)

static const char* failed(int line, const char* condition) {
  static char text[1024];
  snprintf(text, sizeof(text), "line %d: %s; last error: %s", line, condition, skiff_last_error());
  return text;
}

static int same_text(skiff_text text, const char* expected) {
  return text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0;
}

static int same_shape(const skiff_tensor* tensor, int32_t rank, const int64_t* shape) {
  return tensor->rank == rank && memcmp(tensor->shape, shape, (size_t)rank * sizeof(*shape)) == 0;
}

static skiff_model* model_of(file_bytes file) {
  skiff_model* model = NULL;
  skiff_model_from_bytes(file.bytes, file.size, &model);
  return model;
}

static skiff_session* session_of(file_bytes file) {
  skiff_model* model = model_of(file);
  skiff_session* session = NULL;
  if (model != NULL) skiff_session_create(model, NULL, &session);
  skiff_model_free(model); /* the session keeps what it needs */
  return session;
}

static skiff_session_options defaults(void) {
  skiff_session_options options = {0};
  options.size = sizeof(options);
  return options;
}

const char* c_describes_models(const char* picture_path, file_bytes picture) {
  skiff_load_options options = {.size = sizeof(options), .skip_digests = 1};
  skiff_model *from_file = NULL, *model = NULL;
  GOOD(skiff_model_load(picture_path, &from_file));
  skiff_model_free(from_file);
  GOOD(skiff_model_load_with(picture_path, &options, &from_file));
  GOOD(skiff_model_from_bytes_with(picture.bytes, picture.size, &options, &model));
  skiff_model* const both[] = {from_file, model};
  for (size_t i = 0; i < SIZE(both); ++i) {
    skiff_model_info info = {.size = sizeof(info)};
    GOOD(skiff_model_describe(both[i], &info));
    CHECK(info.size == sizeof(info) && same_text(info.name, "picture"));
    CHECK(info.input_count == 1 && info.output_count == 1 && info.symbol_count == 0);
    CHECK(info.label_count == 5);
    skiff_text label;
    GOOD(skiff_model_label(both[i], 2, &label));
    CHECK(same_text(label, "cat"));
    CHECK(skiff_model_label(both[i], 5, &label) == SKIFF_ERROR_NOT_FOUND);

    skiff_tensor tensor;
    skiff_quantization quantization;
    const int64_t image[] = {1, 8, 8, 3}, scores[] = {1, 5};
    GOOD(skiff_model_input(both[i], 0, &tensor, &quantization));
    CHECK(same_shape(&tensor, 4, image) && tensor.dtype == SKIFF_DTYPE_FLOAT32);
    CHECK(tensor.data == NULL && tensor.bytes == 192 * skiff_dtype_size(tensor.dtype));
    CHECK(quantization.scale_count == 0 && quantization.zero_point_count == 0);
    GOOD(skiff_model_output(both[i], 0, &tensor, NULL));
    CHECK(same_shape(&tensor, 2, scores) && memcmp(tensor.name, "scores", 6) == 0);
    CHECK(skiff_model_input(both[i], 1, &tensor, NULL) == SKIFF_ERROR_NOT_FOUND);
    CHECK(skiff_model_output(both[i], 1, &tensor, NULL) == SKIFF_ERROR_NOT_FOUND);

    skiff_preprocessing pre = {.size = sizeof(pre)};
    GOOD(skiff_model_preprocessing(both[i], 0, &pre));
    CHECK(pre.present && pre.color == SKIFF_COLOR_RGB && pre.fit == SKIFF_FIT_STRETCH);
    CHECK(pre.mean_count == 3 && pre.mean[2] == 0.5f && pre.std_count == 3 && pre.std[2] == 0.25f);
    CHECK(pre.pixel_scale == 1 && pre.pad_value == 0);
    CHECK(pre.height_axis == 1 && pre.width_axis == 2 && pre.channel_axis == 3);
    CHECK(skiff_model_preprocessing(both[i], 1, &pre) == SKIFF_ERROR_NOT_FOUND);
    skiff_postprocessing post = {.size = sizeof(post)};
    GOOD(skiff_model_postprocessing(both[i], &post));
    CHECK(post.kind == SKIFF_POSTPROCESS_CLASSIFY && post.scores == 0 && post.boxes == -1);
    CHECK(post.score_threshold == 0.5f && post.iou_threshold == 0.3f && post.box_scale == 1);
    CHECK(post.anchors_count == 0 && post.background == -1 && post.channel_axis == -1);
    skiff_model_free(both[i]);
  }
  return NULL;
}

const char* c_describes_sizes(file_bytes sizes) {
  skiff_model* model = model_of(sizes);
  CHECK(model != NULL);
  skiff_symbol symbol = {.size = sizeof(symbol)};
  GOOD(skiff_model_symbol(model, 1, &symbol));
  CHECK(same_text(symbol.name, "length") && symbol.counted == 0);
  CHECK(symbol.min == 2 && symbol.opt == 6 && symbol.max == 12 && symbol.multiple_of == 1);
  CHECK(skiff_model_symbol(model, 2, &symbol) == SKIFF_ERROR_NOT_FOUND);
  const int32_t expected[] = {0, 1, -1};
  for (int32_t axis = 0; axis < 3; ++axis) {
    int32_t found = 7;
    GOOD(skiff_model_input_symbol(model, 0, axis, &found));
    CHECK(found == expected[axis]);
  }
  int32_t found = 7;
  CHECK(skiff_model_input_symbol(model, 0, 3, &found) == SKIFF_ERROR_NOT_FOUND);
  CHECK(skiff_model_input_symbol(model, 0, -1, &found) == SKIFF_ERROR_NOT_FOUND);
  CHECK(skiff_model_input_symbol(model, 2, 0, &found) == SKIFF_ERROR_NOT_FOUND && found == 7);
  skiff_tensor tensor;
  const int64_t largest[] = {4, 12, 4};
  GOOD(skiff_model_input(model, 0, &tensor, NULL));
  CHECK(same_shape(&tensor, 3, largest) && tensor.bytes == 4 * 12 * 4 * sizeof(float));
  skiff_model_free(model);
  return NULL;
}

/* Sets all numbers of the first input and runs; the first number of the last output, -12345 where
 * that fails. */
static float run_with(skiff_session* session, float number) {
  skiff_tensor tensor;
  const size_t last = skiff_session_output_count(session) - 1;
  if (skiff_session_input(session, 0, &tensor) != SKIFF_OK) return -12345;
  for (size_t i = 0; i < tensor.bytes / sizeof(float); ++i) ((float*)tensor.data)[i] = number;
  if (skiff_session_run(session) != SKIFF_OK) return -12345;
  if (skiff_session_output(session, last, &tensor) != SKIFF_OK) return -12345;
  return ((const float*)tensor.data)[0];
}

const char* c_resizes_and_keeps_states(file_bytes sizes) {
  skiff_session* session = session_of(sizes);
  CHECK(session != NULL && skiff_session_input_count(session) == 2);
  const float first = run_with(session, 1), second = run_with(session, 1);
  CHECK(first != 0 && second != first);
  skiff_session_reset(session);
  CHECK(run_with(session, 1) == first && run_with(session, 1) == second);

  skiff_tensor tensor;
  const int64_t one[] = {1, 5, 4}, two[] = {2, 7, 4}, four[] = {4, 12, 4}, long_[] = {1, 13, 4};
  GOOD(skiff_session_resize(session, 0, one, 3));
  GOOD(skiff_session_input_named(session, "x", &tensor));
  CHECK(same_shape(&tensor, 3, one) && tensor.bytes == 20 * sizeof(float));
  CHECK(skiff_session_resize(session, 0, long_, 3) == SKIFF_ERROR_INVALID_ARGUMENT);
  CHECK(strstr(skiff_last_error(), "length") != NULL);
  CHECK(skiff_session_resize(session, 0, one, 9) == SKIFF_ERROR_INVALID_ARGUMENT);
  CHECK(skiff_session_resize(session, 0, one, -1) == SKIFF_ERROR_INVALID_ARGUMENT);
  CHECK(skiff_session_resize(session, 2, one, 3) == SKIFF_ERROR_NOT_FOUND);
  GOOD(skiff_session_input(session, 0, &tensor));
  CHECK(same_shape(&tensor, 3, one));

  skiff_input_shape shapes[] = {{0, 3, {2, 7, 4}}, {1, 2, {2, 3}}, {0, 3, {2, 7, 4}}};
  GOOD(skiff_session_resize_all(session, shapes, 2));
  GOOD(skiff_session_output_named(session, "y", &tensor));
  CHECK(tensor.rank == 3 && tensor.shape[0] == two[0] && tensor.shape[1] == two[1]);
  CHECK(skiff_session_resize_all(session, shapes, 3) == SKIFF_ERROR_INVALID_ARGUMENT);
  shapes[1].shape[0] = 3;
  CHECK(skiff_session_resize_all(session, shapes, 2) == SKIFF_ERROR_INVALID_ARGUMENT);
  GOOD(skiff_session_resize_all(session, NULL, 0));
  memcpy(shapes[0].shape, four, sizeof(four));
  GOOD(skiff_session_prepare(session, shapes, 1));
  GOOD(skiff_session_input(session, 0, &tensor));
  CHECK(same_shape(&tensor, 3, two));
  CHECK(skiff_session_input_named(session, "z", &tensor) == SKIFF_ERROR_NOT_FOUND);
  CHECK(skiff_session_output_named(session, "z", &tensor) == SKIFF_ERROR_NOT_FOUND);
  CHECK(strstr(skiff_last_error(), "'y'") != NULL);
  skiff_session_free(session);
  return NULL;
}

static void count_step(void* context, size_t step) {
  size_t* expected = context;
  if (step == *expected) ++*expected;
}

const char* c_watches_steps(file_bytes picture) {
  skiff_session* session = session_of(picture);
  CHECK(session != NULL);
  skiff_session_info info = {.size = sizeof(info)};
  GOOD(skiff_session_describe(session, &info));
  CHECK(info.device == SKIFF_DEVICE_CPU && info.threads == 1 && info.isa[0] != 0);
  CHECK(info.step_count > 0);
  size_t seen = 0;
  GOOD(skiff_session_run_observed(session, count_step, &seen));
  CHECK(seen == info.step_count + 1);
  GOOD(skiff_session_run_observed(session, NULL, NULL));

  skiff_step step = {.size = sizeof(step)};
  GOOD(skiff_session_step(session, info.step_count - 1, &step));
  CHECK(same_text(step.name, "scores") && same_text(step.op, "softmax"));
  CHECK(step.algorithm.length > 0 && step.why_cpu.length == 0);
  CHECK(step.device == SKIFF_DEVICE_CPU && step.tensor_cores == 0 && step.layers == 1);
  CHECK(step.bytes == 2 * 5 * sizeof(float) && step.output_count == 1);
  CHECK(step.output_rank == 2 && step.output_shape[0] == 1 && step.output_shape[1] == 5);
  int64_t layers = 0;
  for (size_t i = 0; i < info.step_count; ++i) {
    GOOD(skiff_session_step(session, i, &step));
    layers += step.layers;
  }
  CHECK(layers >= 5); /* conv, depthwise, pool, dense, softmax; not the reshape */

  skiff_tensor result, output;
  int32_t value = -1;
  GOOD(skiff_session_output(session, 0, &output));
  GOOD(skiff_session_step_output(session, info.step_count - 1, 0, &result, &value));
  CHECK(result.data == output.data && result.bytes == output.bytes && value >= 0);
  GOOD(skiff_session_step_output(session, 0, 0, &result, NULL));
  CHECK(skiff_session_step(session, info.step_count, &step) == SKIFF_ERROR_NOT_FOUND);
  CHECK(skiff_session_step_output(session, info.step_count, 0, &result, &value) ==
        SKIFF_ERROR_NOT_FOUND);
  CHECK(skiff_session_step_output(session, 0, 1, &result, &value) == SKIFF_ERROR_NOT_FOUND);
  skiff_session_free(session);
  return NULL;
}

/* Memory of the C library, counted. */
typedef struct counted_memory {
  size_t calls, live;
  int refuses;
} counted_memory;

static void* allocate(void* context, size_t bytes, size_t alignment) {
  counted_memory* memory = context;
  if (memory->refuses) return NULL;
  ++memory->calls;
  memory->live += bytes;
  if (alignment < sizeof(void*)) alignment = sizeof(void*);
  return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void* context, void* block, size_t bytes) {
  ((counted_memory*)context)->live -= bytes;
  free(block);
}

static const char* gives_an_allocator(file_bytes picture) {
  counted_memory of_model = {0}, of_session = {0};
  const skiff_load_options load = {.size = sizeof(load),
                                   .allocator = {allocate, release, &of_model}};
  skiff_session_options options = defaults();
  skiff_model* model = NULL;
  skiff_session* session = NULL;
  GOOD(skiff_model_from_bytes_with(picture.bytes, picture.size, &load, &model));
  CHECK(of_model.calls > 0 && of_model.live > 0);
  const size_t metadata = of_model.live;
  options.allocator.allocate = allocate;
  options.allocator.release = release;
  options.allocator.context = &of_session;
  of_session.refuses = 1;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_OUT_OF_MEMORY);
  CHECK(session == NULL);
  of_session.refuses = 0;
  GOOD(skiff_session_create(model, &options, &session));
  skiff_memory_report report = {.size = sizeof(report)};
  GOOD(skiff_session_memory(session, &report));
  CHECK(of_session.live >= report.arena + report.io && of_model.live >= report.weights + metadata);
  const size_t calls = of_session.calls;
  GOOD(skiff_session_run(session));
  CHECK(of_session.calls == calls);
  skiff_session_free(session);
  skiff_model_free(model);
  CHECK(of_session.live == 0 && of_model.live == 0);
  return NULL;
}

static const char* gives_an_arena(file_bytes picture) {
  static _Alignas(256) unsigned char memory[65536];
  skiff_model* model = model_of(picture);
  skiff_session_options options = defaults();
  skiff_memory_report plain = {.size = sizeof(plain)}, given = {.size = sizeof(given)};
  GOOD(skiff_session_predict(model, NULL, &plain));
  CHECK(plain.arena > 0 && plain.arena < sizeof(memory) && plain.device_arena == 0);
  CHECK(plain.arena >= plain.arena_lower_bound && plain.arena >= plain.workspace);
  CHECK(plain.arena_lower_bound_plain >= plain.arena_lower_bound);
  CHECK(plain.weights > 0 && plain.io >= 197 * sizeof(float));
  CHECK(plain.total == plain.weights + plain.arena + plain.io + plain.other);

  skiff_session* session = NULL;
  options.arena = memory;
  options.arena_bytes = plain.arena - 1;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_INVALID_ARGUMENT);
  options.arena_bytes = 0;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_INVALID_ARGUMENT);
  options.arena = NULL;
  options.arena_bytes = plain.arena;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_INVALID_ARGUMENT);
  options.arena = memory + 8;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_INVALID_ARGUMENT);
  options.arena_bytes = 0;
  options.arena = NULL;
  options.device_arena_bytes = 256;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_INVALID_ARGUMENT);
  options.device_arena_bytes = 0;

  options.arena = memory;
  options.arena_bytes = plain.arena;
  memset(memory, 0x77, sizeof(memory));
  GOOD(skiff_session_create(model, &options, &session));
  const float with = run_with(session, 0.5f);
  size_t written = 0;
  for (size_t i = 0; i < plain.arena; ++i) written += memory[i] != 0x77;
  CHECK(written > 0 && memory[plain.arena] == 0x77);
  GOOD(skiff_session_memory(session, &given));
  CHECK(given.total < plain.total && given.arena == plain.arena);
  CHECK(skiff_session_memory_total(session) == given.total);
  skiff_session_free(session);
  GOOD(skiff_session_create(model, NULL, &session));
  CHECK(run_with(session, 0.5f) == with);
  CHECK(skiff_session_memory_total(session) == plain.total);
  skiff_session_free(session);
  skiff_model_free(model);
  return NULL;
}

static const char* gives_limits(file_bytes picture) {
  skiff_load_options load = {.size = sizeof(load), .memory_limit = 64};
  skiff_session_options options = defaults();
  skiff_model* model = NULL;
  skiff_session* session = NULL;
  CHECK(skiff_model_from_bytes_with(picture.bytes, picture.size, &load, &model) ==
        SKIFF_ERROR_BUDGET_EXCEEDED);
  CHECK(model == NULL);
  load.memory_limit = 1 << 20;
  GOOD(skiff_model_from_bytes_with(picture.bytes, picture.size, &load, &model));
  skiff_memory_report report = {.size = sizeof(report)};
  options.memory_limit = 1000;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_BUDGET_EXCEEDED);
  options.memory_limit = 0;
  GOOD(skiff_session_predict(model, &options, &report));
  options.memory_limit = report.total;
  GOOD(skiff_session_create(model, &options, &session));
  skiff_session_free(session);
  skiff_model_free(model);
  return NULL;
}

const char* c_gives_memory(file_bytes picture) {
  const char* result = gives_an_allocator(picture);
  if (result == NULL) result = gives_an_arena(picture);
  return result != NULL ? result : gives_limits(picture);
}

typedef struct heard {
  int32_t level;
  char text[256];
  int count;
} heard;

static void hear(void* user, int32_t level, const char* message) {
  heard* last = user;
  last->level = level;
  strncpy(last->text, message, sizeof(last->text) - 1);
  ++last->count;
}

static size_t steps_with(const skiff_model* model, int32_t fuse) {
  skiff_session_options options = defaults();
  skiff_session* session = NULL;
  skiff_session_info info = {.size = sizeof(info)};
  options.fuse = fuse;
  skiff_session_create(model, &options, &session);
  skiff_session_describe(session, &info);
  skiff_session_free(session);
  return info.step_count;
}

const char* c_sets_options(file_bytes picture) {
  /* Each option that shows on a CPU; tests/cuda looks at those of a GPU. */
  skiff_model* model = model_of(picture);
  skiff_session* session = NULL;
  skiff_session_info info = {.size = sizeof(info)};
  heard log = {0};
  skiff_session_options options = defaults();
  options.threads = 3;
  options.device = SKIFF_DEVICE_CUDA;
  options.gpu = 1000;
  options.tuning = SKIFF_TUNING_FAST;
  options.tf32 = 1;
  options.log.function = hear;
  options.log.user = &log;
  GOOD(skiff_session_create(model, &options, &session));
  GOOD(skiff_session_describe(session, &info));
  CHECK(info.threads == 3 && info.device == SKIFF_DEVICE_CPU);
  CHECK(log.count == 1 && log.level == SKIFF_LOG_WARNING && strstr(log.text, "CPU") != NULL);
  skiff_session_free(session);
  skiff_memory_report report = {.size = sizeof(report)};
  GOOD(skiff_session_predict(model, &options, &report));
  CHECK(log.count == 2 && report.total > 0);
  options.strict_gpu = 1;
  session = NULL;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_DEVICE);
  CHECK(session == NULL && strcmp(skiff_error_name(SKIFF_ERROR_DEVICE), "device") == 0);

  options = defaults();
  options.isa = info.isa; /* of a session that is gone: texts of that are static */
  GOOD(skiff_session_create(model, &options, &session));
  skiff_session_free(session);
  options.isa = "abacus";
  CHECK(skiff_session_create(model, &options, &session) != SKIFF_OK);
  CHECK(strstr(skiff_last_error(), "abacus") != NULL);
  options = defaults();
  options.threads = -1;
  CHECK(skiff_session_create(model, &options, &session) == SKIFF_ERROR_INVALID_ARGUMENT);
  CHECK(steps_with(model, SKIFF_FUSE_ON) < steps_with(model, SKIFF_FUSE_OFF));

  /* Damage that only a digest finds. */
  unsigned char* damaged = malloc(picture.size);
  memcpy(damaged, picture.bytes, picture.size);
  uint64_t weights = 0; /* the header says where they begin */
  memcpy(&weights, damaged + 32, sizeof(weights));
  damaged[weights] ^= 1;
  skiff_load_options load = {.size = sizeof(load)};
  skiff_model* other = NULL;
  int32_t code = skiff_model_from_bytes_with(damaged, picture.size, &load, &other);
  if (code == SKIFF_OK) code = skiff_session_create(other, NULL, &session);
  CHECK(code == SKIFF_ERROR_INVALID_MODEL);
  skiff_model_free(other);
  load.skip_digests = 1;
  GOOD(skiff_model_from_bytes_with(damaged, picture.size, &load, &other));
  GOOD(skiff_session_create(other, NULL, &session));
  skiff_session_free(session);
  skiff_model_free(other);
  free(damaged);
  skiff_model_free(model);
  return NULL;
}

const char* c_speaks_other_versions(file_bytes picture) {
  skiff_model* model = model_of(picture);
  skiff_session* session = NULL;
  skiff_session_info info = {.size = sizeof(info)};
  /* What the first programs were compiled with, and rubbish behind it. */
  struct {
    uint32_t size;
    int32_t device, threads, strict_gpu;
    const char* isa;
    uint64_t memory_limit;
    unsigned char others[sizeof(skiff_session_options)];
  } first = {.size = 32, .threads = 2};
  CHECK(offsetof(skiff_session_options, stream) == 32);
  memset(first.others, 0xee, sizeof(first.others));
  GOOD(skiff_session_create(model, (const skiff_session_options*)(const void*)&first, &session));
  GOOD(skiff_session_describe(session, &info));
  CHECK(info.threads == 2);

  struct {
    skiff_session_options known;
    uint64_t more;
  } later = {defaults(), 0};
  later.known.size = sizeof(later);
  skiff_session* second = NULL;
  GOOD(skiff_session_create(model, &later.known, &second));
  skiff_session_free(second);
  later.more = 1;
  CHECK(skiff_session_create(model, &later.known, &second) == SKIFF_ERROR_UNSUPPORTED);
  const uint32_t bad[] = {0, 4, 5000, UINT32_MAX};
  for (size_t i = 0; i < SIZE(bad); ++i) {
    skiff_load_options load = {.size = bad[i]};
    skiff_memory_report report = {.size = bad[i]};
    skiff_model* none = NULL;
    later.known.size = bad[i];
    CHECK(skiff_session_create(model, &later.known, &second) == SKIFF_ERROR_INVALID_ARGUMENT);
    CHECK(strstr(skiff_last_error(), "size") != NULL);
    CHECK(skiff_model_from_bytes_with(picture.bytes, picture.size, &load, &none) ==
          SKIFF_ERROR_INVALID_ARGUMENT);
    CHECK(skiff_session_memory(session, &report) == SKIFF_ERROR_INVALID_ARGUMENT);
    CHECK(none == NULL && report.total == 0);
  }

  /* Shorter and longer ones are filled as far as they reach. */
  struct {
    skiff_memory_report known;
    uint64_t more;
  } report = {{.size = 24}, 7};
  report.known.arena_lower_bound = 7;
  GOOD(skiff_session_memory(session, &report.known));
  CHECK(report.known.arena > 0 && report.known.arena_lower_bound == 7 && report.more == 7);
  report.known.size = sizeof(report);
  GOOD(skiff_session_memory(session, &report.known));
  CHECK(report.known.total == skiff_session_memory_total(session) && report.more == 0);
  CHECK(report.known.size == sizeof(report));
  skiff_session_free(session);
  skiff_model_free(model);
  return NULL;
}

const char* c_classifies(file_bytes picture) {
  skiff_session* session = session_of(picture);
  CHECK(session != NULL);
  uint8_t pixels[4 * 4 * 3];
  for (size_t i = 0; i < SIZE(pixels); ++i) pixels[i] = (uint8_t)(5 * i);
  const skiff_image image = {pixels, 4, 4, 3};
  skiff_placement placement;
  GOOD(skiff_set_image(session, &image, 0, &placement));
  CHECK(placement.scale_x == 2 && placement.scale_y == 2);
  CHECK(placement.offset_x == 0 && placement.offset_y == 0);
  skiff_tensor tensor;
  GOOD(skiff_session_input(session, 0, &tensor));
  CHECK(((const float*)tensor.data)[1] == (5 / 255.0f - 0.5f) / 0.25f);
  GOOD(skiff_set_image(session, &image, 0, NULL));
  GOOD(skiff_session_run(session));
  GOOD(skiff_session_output(session, 0, &tensor));
  const float* scores = tensor.data;
  skiff_classification best[9];
  size_t count = 0;
  GOOD(skiff_classify(session, best, SIZE(best), &count));
  CHECK(count == 5);
  for (size_t i = 0; i < count; ++i) CHECK(best[i].score == scores[best[i].index]);
  for (size_t i = 1; i < count; ++i) CHECK(best[i - 1].score >= best[i].score);
  GOOD(skiff_classify(session, best, 1, &count));
  CHECK(count == 1);
  GOOD(skiff_classify(session, NULL, 0, &count));
  CHECK(count == 0);

  skiff_image bad = image;
  bad.channels = 2;
  CHECK(skiff_set_image(session, &bad, 0, NULL) == SKIFF_ERROR_INVALID_ARGUMENT);
  CHECK(skiff_set_image(session, &image, 1, NULL) == SKIFF_ERROR_INVALID_ARGUMENT);
  skiff_detection found;
  uint8_t mask[16];
  CHECK(skiff_detect(session, &placement, &found, 1, &count) == SKIFF_ERROR_INVALID_ARGUMENT);
  CHECK(skiff_segment(session, &placement, 4, 4, mask, 16) == SKIFF_ERROR_INVALID_ARGUMENT);
  skiff_session_free(session);
  return NULL;
}

static int near(float a, float b) { return a - b < 1e-4f && b - a < 1e-4f; }

const char* c_detects(file_bytes boxes) {
  skiff_session* session = session_of(boxes);
  CHECK(session != NULL);
  const skiff_model* model = skiff_session_model(session);
  skiff_tensor tensor;
  skiff_quantization quantization;
  GOOD(skiff_model_input(model, 0, &tensor, &quantization));
  CHECK(tensor.dtype == SKIFF_DTYPE_UINT8 && quantization.axis == 0);
  CHECK(quantization.scale_count == 1 && quantization.scale[0] == 1.0f / 255);
  CHECK(quantization.zero_point_count == 1 && quantization.zero_point[0] == 0);

  /* A picture of 4 x 2 pixels in an input of 2 x 2: letterboxed. */
  const uint8_t pixels[4 * 2] = {9, 9, 60, 60, 9, 9, 60, 60};
  const skiff_image image = {pixels, 4, 2, 1};
  skiff_placement placement;
  GOOD(skiff_set_image(session, &image, 0, &placement));
  CHECK(placement.scale_x == 0.5f && placement.offset_x == 0 && placement.offset_y == 0.5f);

  const float corners[] = {0, 0.25f, 0.5f, 0.75f, 0, 0.25f, 0.5f, 0.7f, 0.5f, 0.5f, 1, 0.75f};
  const float scores[] = {0.9f, 0.1f, 0.8f, 0.2f, 0.3f, 0.95f};
  GOOD(skiff_session_input_named(session, "boxes", &tensor));
  CHECK(tensor.bytes == sizeof(corners));
  memcpy(tensor.data, corners, sizeof(corners));
  GOOD(skiff_session_input_named(session, "scores", &tensor));
  CHECK(tensor.bytes == sizeof(scores));
  memcpy(tensor.data, scores, sizeof(scores));
  GOOD(skiff_session_run(session));
  skiff_detection found[3];
  size_t count = 0;
  GOOD(skiff_detect(session, &placement, found, SIZE(found), &count));
  CHECK(count == 2); /* the second overlaps the first */
  CHECK(found[0].label == 1 && near(found[0].score, 0.95f));
  CHECK(near(found[0].x1, 2) && near(found[0].y1, 1));
  CHECK(near(found[0].x2, 4) && near(found[0].y2, 2));
  CHECK(found[1].label == 0 && near(found[1].x1, 0) && near(found[1].y1, 0));
  CHECK(near(found[1].x2, 2) && near(found[1].y2, 2));
  GOOD(skiff_detect(session, &placement, found, 1, &count));
  CHECK(count == 1);
  skiff_session_free(session);
  return NULL;
}

const char* c_segments(file_bytes mask) {
  skiff_session* session = session_of(mask);
  CHECK(session != NULL);
  const uint8_t pixels[] = {200, 0, 0, 0, 200, 0, 0, 0, 200, 0, 200, 0};
  const skiff_image image = {pixels, 2, 2, 3};
  skiff_placement placement;
  GOOD(skiff_set_image(session, &image, 0, &placement));
  GOOD(skiff_session_run(session));
  uint8_t classes[4] = {9, 9, 9, 9};
  GOOD(skiff_segment(session, &placement, 2, 2, classes, sizeof(classes)));
  CHECK(classes[0] == 0 && classes[1] == 1 && classes[2] == 2 && classes[3] == 1);
  CHECK(skiff_segment(session, &placement, 2, 2, classes, 3) == SKIFF_ERROR_INVALID_ARGUMENT);
  CHECK(skiff_segment(session, &placement, -2, -2, classes, 4) == SKIFF_ERROR_INVALID_ARGUMENT);
  skiff_session_free(session);
  return NULL;
}

/* Each pointer that must be there is not, once. */
#define REFUSED(call)                                  \
  do {                                                 \
    CHECK((call) == SKIFF_ERROR_INVALID_ARGUMENT);     \
    CHECK(strstr(skiff_last_error(), "NULL") != NULL); \
  } while (0)

static const char* models_get_nothing(const skiff_model* model) {
  skiff_model* made = NULL;
  skiff_model_info info = {.size = sizeof(info)};
  skiff_tensor tensor;
  skiff_symbol symbol = {.size = sizeof(symbol)};
  skiff_preprocessing pre = {.size = sizeof(pre)};
  skiff_postprocessing post = {.size = sizeof(post)};
  skiff_text text;
  int32_t number;
  REFUSED(skiff_model_load(NULL, &made));
  REFUSED(skiff_model_load("x", NULL));
  REFUSED(skiff_model_load_with(NULL, NULL, &made));
  REFUSED(skiff_model_from_bytes(NULL, 0, &made));
  REFUSED(skiff_model_from_bytes("x", 1, NULL));
  REFUSED(skiff_model_from_bytes_with(NULL, 9, NULL, &made));
  REFUSED(skiff_model_describe(NULL, &info));
  REFUSED(skiff_model_describe(model, NULL));
  REFUSED(skiff_model_input(NULL, 0, &tensor, NULL));
  REFUSED(skiff_model_input(model, 0, NULL, NULL));
  REFUSED(skiff_model_output(NULL, 0, &tensor, NULL));
  REFUSED(skiff_model_output(model, 0, NULL, NULL));
  REFUSED(skiff_model_symbol(NULL, 0, &symbol));
  REFUSED(skiff_model_input_symbol(NULL, 0, 0, &number));
  REFUSED(skiff_model_input_symbol(model, 0, 0, NULL));
  REFUSED(skiff_model_preprocessing(NULL, 0, &pre));
  REFUSED(skiff_model_preprocessing(model, 0, NULL));
  REFUSED(skiff_model_postprocessing(NULL, &post));
  REFUSED(skiff_model_postprocessing(model, NULL));
  REFUSED(skiff_model_label(NULL, 0, &text));
  REFUSED(skiff_model_label(model, 0, NULL));
  CHECK(made == NULL);
  skiff_model_free(NULL);
  return NULL;
}

static const char* sessions_get_nothing(const skiff_model* model, skiff_session* session) {
  skiff_session* made = NULL;
  skiff_session_info info = {.size = sizeof(info)};
  skiff_memory_report report = {.size = sizeof(report)};
  skiff_step step = {.size = sizeof(step)};
  skiff_tensor tensor;
  const skiff_input_shape shape = {0, 1, {1}};
  REFUSED(skiff_session_predict(NULL, NULL, &report));
  REFUSED(skiff_session_predict(model, NULL, NULL));
  REFUSED(skiff_session_create(NULL, NULL, &made));
  REFUSED(skiff_session_create(model, NULL, NULL));
  REFUSED(skiff_session_describe(NULL, &info));
  REFUSED(skiff_session_describe(session, NULL));
  REFUSED(skiff_session_memory(NULL, &report));
  REFUSED(skiff_session_memory(session, NULL));
  REFUSED(skiff_session_input(NULL, 0, &tensor));
  REFUSED(skiff_session_input(session, 0, NULL));
  REFUSED(skiff_session_output(NULL, 0, &tensor));
  REFUSED(skiff_session_output(session, 0, NULL));
  REFUSED(skiff_session_input_named(session, NULL, &tensor));
  REFUSED(skiff_session_output_named(session, NULL, &tensor));
  REFUSED(skiff_session_resize(NULL, 0, shape.shape, 1));
  REFUSED(skiff_session_resize(session, 0, NULL, 1));
  REFUSED(skiff_session_resize_all(NULL, &shape, 1));
  REFUSED(skiff_session_resize_all(session, NULL, 1));
  REFUSED(skiff_session_prepare(NULL, &shape, 1));
  REFUSED(skiff_session_prepare(session, NULL, 1));
  REFUSED(skiff_session_run(NULL));
  REFUSED(skiff_session_run_observed(NULL, NULL, NULL));
  REFUSED(skiff_session_step(NULL, 0, &step));
  REFUSED(skiff_session_step(session, 0, NULL));
  REFUSED(skiff_session_step_output(NULL, 0, 0, &tensor, NULL));
  REFUSED(skiff_session_step_output(session, 0, 0, NULL, NULL));
  CHECK(made == NULL && skiff_session_model(NULL) == NULL);
  CHECK(skiff_session_memory_total(NULL) == 0 && skiff_session_input_count(NULL) == 0);
  CHECK(skiff_session_output_count(NULL) == 0);
  skiff_session_reset(NULL);
  skiff_session_free(NULL);
  return NULL;
}

static const char* pictures_get_nothing(skiff_session* session) {
  const uint8_t pixel = 0;
  const skiff_image image = {&pixel, 1, 1, 1};
  const skiff_placement placement = {1, 1, 0, 0};
  skiff_classification best;
  skiff_detection found;
  uint8_t mask;
  size_t count;
  REFUSED(skiff_set_image(NULL, &image, 0, NULL));
  REFUSED(skiff_set_image(session, NULL, 0, NULL));
  REFUSED(skiff_classify(NULL, &best, 1, &count));
  REFUSED(skiff_classify(session, NULL, 1, &count));
  REFUSED(skiff_classify(session, &best, 1, NULL));
  REFUSED(skiff_detect(NULL, &placement, &found, 1, &count));
  REFUSED(skiff_detect(session, NULL, &found, 1, &count));
  REFUSED(skiff_detect(session, &placement, NULL, 1, &count));
  REFUSED(skiff_segment(NULL, &placement, 1, 1, &mask, 1));
  REFUSED(skiff_segment(session, NULL, 1, 1, &mask, 1));
  REFUSED(skiff_segment(session, &placement, 1, 1, NULL, 1));
  return NULL;
}

const char* c_gives_nothing(file_bytes picture) {
  skiff_model* model = model_of(picture);
  skiff_session* session = session_of(picture);
  CHECK(model != NULL && session != NULL);
  const char* result = models_get_nothing(model);
  if (result == NULL) result = sessions_get_nothing(model, session);
  if (result == NULL) result = pictures_get_nothing(session);
  skiff_session_free(session);
  skiff_model_free(model);
  return result;
}
