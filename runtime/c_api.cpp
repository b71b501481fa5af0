#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <new>

#include "runtime/c_structs.h"
#include "runtime/core/error.h"

struct skiff_session {
  skiff_session(const skiff::Model& model, const skiff_session_options* options)
      : session(model, skiff::c::options_of(options, log)),
        shapes(new skiff::InputShape[session.input_count()]) {}

  skiff_log log{};
  skiff::Session session;
  std::unique_ptr<skiff::InputShape[]> shapes;  ///< one an input: resizing allocates nothing
};

namespace {

using skiff::c::at;
using skiff::c::check_given;
using skiff::c::check_index;
using skiff::c::describe;

thread_local char g_message[512] = "";

std::int32_t keep(skiff::ErrorCode code, const char* message) noexcept {
  std::strncpy(g_message, message, sizeof(g_message) - 1);
  return static_cast<std::int32_t>(code);
}

/// Keeps what is being caught.
[[gnu::cold, gnu::noinline]] std::int32_t keep_caught() noexcept {
  try {
    throw;
  } catch (const skiff::Error& error) {
    return keep(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return keep(skiff::ErrorCode::out_of_memory, "the system refused memory");
  } catch (const std::exception& error) {
    return keep(skiff::ErrorCode::internal, error.what());
  }
}

/// No exception crosses the C edge.
template <typename F>
[[gnu::always_inline]] inline std::int32_t guarded(F&& f) noexcept {
  try {
    f();
    return 0;
  } catch (...) {
    return keep_caught();
  }
}

// A handle of a model is a Model's address.
const skiff_model* handle_of(const skiff::Model& model) noexcept {
  return reinterpret_cast<const skiff_model*>(&model);
}
const skiff::Model& cpp(const skiff_model* model) {
  check_given(model, "model");
  return *reinterpret_cast<const skiff::Model*>(model);
}

skiff_session& cpp_handle(const skiff_session* session) {
  check_given(session, "session");
  return const_cast<skiff_session&>(*session);
}
const skiff::Session& cpp(const skiff_session* session) { return cpp_handle(session).session; }
skiff::Session& cpp(skiff_session* session) { return cpp_handle(session).session; }

enum class End : bool { input, output };

/// From the file, unless there is no path.
std::int32_t load(const char* path, std::span<const std::byte> bytes,
                  const skiff_load_options* given, skiff_model** model) noexcept {
  return guarded([&] {
    check_given(model, "model");
    const skiff::LoadOptions options = skiff::c::options_of(given);
    auto* const made = new skiff::Model(path != nullptr ? skiff::Model::load(path, options)
                                                        : skiff::Model::from_bytes(bytes, options));
    *model = reinterpret_cast<skiff_model*>(made);
  });
}

std::int32_t describe_of_model(const skiff_model* handle, End end, std::size_t index,
                               skiff_tensor* tensor, skiff_quantization* quantization) noexcept {
  return guarded([&] {
    const skiff::Model& model = cpp(handle);
    const bool input = end == End::input;
    check_index(index, input ? model.input_count() : model.output_count(), "tensors");
    const skiff::TensorDesc desc = input ? model.input(index) : model.output(index);
    describe(desc, nullptr, tensor);
    if (quantization != nullptr) describe(desc.quantization, *quantization);
  });
}

/// By name, unless there is none.
std::int32_t describe_of_session(const skiff_session* handle, End end, std::size_t index,
                                 const char* name, skiff_tensor* tensor) noexcept {
  return guarded([&] {
    const skiff::Session& session = cpp(handle);
    if (end == End::input)
      describe(name != nullptr ? session.input(name) : session.input(index), tensor);
    else
      describe(name != nullptr ? session.output(name) : session.output(index), tensor);
  });
}

/// In memory that the session has for it.
std::span<const skiff::InputShape> shapes_of(skiff_session* handle, const skiff_input_shape* shapes,
                                             std::size_t count) {
  const auto& [log, session, room] = cpp_handle(handle);
  const std::size_t inputs = session.input_count();
  skiff::require(count <= inputs, skiff::ErrorCode::invalid_argument, count, " shapes for ", inputs,
                 " inputs");
  if (count > 0) check_given(shapes, "shapes");
  for (std::size_t i = 0; i < count; ++i)
    room[i] = {session.input(shapes[i].input).name(),
               skiff::c::shape_of(shapes[i].shape, shapes[i].rank)};
  return {room.get(), count};
}

/// Arrays of the caller's are filled in place.
template <typename To, typename From>
std::span<To> in_place(From* array, std::size_t capacity) {
  static_assert(sizeof(To) == sizeof(From) && alignof(To) == alignof(From));
  if (capacity > 0) check_given(array, "array");
  return {reinterpret_cast<To*>(array), capacity};
}

skiff::Placement placement_of(const skiff_placement* placement) {
  return std::bit_cast<skiff::Placement>(at(placement, "placement"));
}

std::int32_t null(const char* message) noexcept {
  return keep(skiff::ErrorCode::invalid_argument, message);
}

}  // namespace

extern "C" {

const char* skiff_last_error(void) { return g_message; }

const char* skiff_error_name(int32_t code) {
  return skiff::name_of(static_cast<skiff::ErrorCode>(code));
}

int32_t skiff_model_load(const char* path, skiff_model** model) {
  return skiff_model_load_with(path, nullptr, model);
}

int32_t skiff_model_from_bytes(const void* bytes, size_t size, skiff_model** model) {
  return skiff_model_from_bytes_with(bytes, size, nullptr, model);
}

int32_t skiff_model_load_with(const char* path, const skiff_load_options* options,
                              skiff_model** model) {
  return path == nullptr ? null("path is NULL") : load(path, {}, options, model);
}

int32_t skiff_model_from_bytes_with(const void* bytes, size_t size,
                                    const skiff_load_options* options, skiff_model** model) {
  if (bytes == nullptr) return null("bytes is NULL");
  return load(nullptr, {static_cast<const std::byte*>(bytes), size}, options, model);
}

void skiff_model_free(skiff_model* model) { delete reinterpret_cast<skiff::Model*>(model); }

int32_t skiff_model_describe(const skiff_model* model, skiff_model_info* info) {
  return guarded([&] { describe(cpp(model), info); });
}

int32_t skiff_model_input(const skiff_model* model, size_t index, skiff_tensor* tensor,
                          skiff_quantization* quantization) {
  return describe_of_model(model, End::input, index, tensor, quantization);
}
int32_t skiff_model_output(const skiff_model* model, size_t index, skiff_tensor* tensor,
                           skiff_quantization* quantization) {
  return describe_of_model(model, End::output, index, tensor, quantization);
}

int32_t skiff_model_symbol(const skiff_model* model, size_t index, skiff_symbol* symbol) {
  return guarded([&] {
    check_index(index, cpp(model).symbol_count(), "symbols");
    describe(cpp(model).symbol(index), symbol);
  });
}

int32_t skiff_model_input_symbol(const skiff_model* model, size_t input, int32_t axis,
                                 int32_t* symbol) {
  return guarded([&] {
    const skiff::Model& source = cpp(model);
    check_index(input, source.input_count(), "inputs");
    check_index(static_cast<std::size_t>(axis),
                static_cast<std::size_t>(source.input(input).shape.rank()), "axes");
    at(symbol, "symbol") = source.input_symbol(input, axis);
  });
}

int32_t skiff_model_preprocessing(const skiff_model* model, size_t input,
                                  skiff_preprocessing* preprocessing) {
  return guarded([&] {
    check_index(input, cpp(model).input_count(), "inputs");
    describe(cpp(model).preprocessing(input), preprocessing);
  });
}

int32_t skiff_model_postprocessing(const skiff_model* model, skiff_postprocessing* postprocessing) {
  return guarded([&] { describe(cpp(model).postprocessing(), postprocessing); });
}

int32_t skiff_model_label(const skiff_model* model, size_t index, skiff_text* label) {
  return guarded([&] {
    check_index(index, cpp(model).label_count(), "labels");
    at(label, "label") = skiff::c::text_of(cpp(model).label(index));
  });
}

int32_t skiff_session_predict(const skiff_model* model, const skiff_session_options* options,
                              skiff_memory_report* memory) {
  return guarded([&] {
    skiff_log log;
    describe(skiff::Session::predict(cpp(model), skiff::c::options_of(options, log)), memory);
  });
}

int32_t skiff_session_create(const skiff_model* model, const skiff_session_options* options,
                             skiff_session** session) {
  return guarded([&] {
    check_given(session, "session");
    *session = new skiff_session(cpp(model), options);
  });
}

void skiff_session_free(skiff_session* session) { delete session; }

const skiff_model* skiff_session_model(const skiff_session* session) {
  return session == nullptr ? nullptr : handle_of(session->session.model());
}

int32_t skiff_session_describe(const skiff_session* session, skiff_session_info* info) {
  return guarded([&] { describe(cpp(session), info); });
}

int32_t skiff_session_memory(const skiff_session* session, skiff_memory_report* memory) {
  return guarded([&] { describe(cpp(session).memory(), memory); });
}

uint64_t skiff_session_memory_total(const skiff_session* session) {
  return session == nullptr ? 0 : session->session.memory().total;
}

size_t skiff_session_input_count(const skiff_session* session) {
  return session == nullptr ? 0 : session->session.input_count();
}
size_t skiff_session_output_count(const skiff_session* session) {
  return session == nullptr ? 0 : session->session.output_count();
}

int32_t skiff_session_input(const skiff_session* session, size_t index, skiff_tensor* tensor) {
  return describe_of_session(session, End::input, index, nullptr, tensor);
}
int32_t skiff_session_output(const skiff_session* session, size_t index, skiff_tensor* tensor) {
  return describe_of_session(session, End::output, index, nullptr, tensor);
}

int32_t skiff_session_input_named(const skiff_session* session, const char* name,
                                  skiff_tensor* tensor) {
  if (name == nullptr) return null("name is NULL");
  return describe_of_session(session, End::input, 0, name, tensor);
}
int32_t skiff_session_output_named(const skiff_session* session, const char* name,
                                   skiff_tensor* tensor) {
  if (name == nullptr) return null("name is NULL");
  return describe_of_session(session, End::output, 0, name, tensor);
}

int32_t skiff_session_resize(skiff_session* session, size_t input, const int64_t* shape,
                             int32_t rank) {
  if (shape == nullptr && rank > 0) return null("shape is NULL");
  skiff_input_shape one{input, rank, {}};
  if (rank > 0 && rank <= skiff::kMaxRank)
    std::copy_n(shape, rank, one.shape);  // others are refused
  return skiff_session_resize_all(session, &one, 1);
}

int32_t skiff_session_resize_all(skiff_session* session, const skiff_input_shape* shapes,
                                 size_t count) {
  return guarded([&] {
    const skiff::Status status = cpp(session).resize(shapes_of(session, shapes, count));
    skiff::require(status.ok(), status.code(), status.message());
  });
}

int32_t skiff_session_prepare(skiff_session* session, const skiff_input_shape* shapes,
                              size_t count) {
  return guarded([&] { cpp(session).prepare(shapes_of(session, shapes, count)); });
}

void skiff_session_reset(skiff_session* session) {
  if (session != nullptr) session->session.reset();
}

int32_t skiff_session_run(skiff_session* session) {
  return skiff_session_run_observed(session, nullptr, nullptr);
}

int32_t skiff_session_run_observed(skiff_session* session,
                                   void (*observe)(void* context, size_t step), void* context) {
  if (session == nullptr) return null("session is NULL");
  const skiff::Status status = session->session.run(observe, context);
  return status.ok() ? 0 : keep(status.code(), status.message());
}

int32_t skiff_session_step(const skiff_session* session, size_t index, skiff_step* step) {
  return guarded([&] {
    check_index(index, cpp(session).step_count(), "steps");
    describe(cpp(session).step(index), cpp(session).step_output_count(index), step);
  });
}

int32_t skiff_session_step_output(const skiff_session* session, size_t index, size_t output,
                                  skiff_tensor* tensor, int32_t* value) {
  return guarded([&] {
    const skiff::Session& source = cpp(session);
    check_index(index, source.step_count(), "steps");
    check_index(output, source.step_output_count(index), "outputs");
    describe(source.step_output(index, output), tensor);
    if (value != nullptr) *value = source.step_output_value(index, output);
  });
}

int32_t skiff_set_image(skiff_session* session, const skiff_image* image, size_t input,
                        skiff_placement* placement) {
  return guarded([&] {
    const auto& [pixels, width, height, channels] = at(image, "image");
    const auto placed = skiff::set_image(cpp(session), {pixels, width, height, channels}, input);
    if (placement != nullptr) *placement = std::bit_cast<skiff_placement>(placed);
  });
}

int32_t skiff_classify(const skiff_session* session, skiff_classification* best, size_t capacity,
                       size_t* count) {
  return guarded([&] {
    at(count, "count") =
        skiff::classify(cpp(session), in_place<skiff::Classification>(best, capacity));
  });
}

int32_t skiff_detect(const skiff_session* session, const skiff_placement* placement,
                     skiff_detection* found, size_t capacity, size_t* count) {
  return guarded([&] {
    at(count, "count") = skiff::detect(cpp(session), placement_of(placement),
                                       in_place<skiff::Detection>(found, capacity));
  });
}

int32_t skiff_segment(const skiff_session* session, const skiff_placement* placement, int32_t width,
                      int32_t height, uint8_t* mask, size_t mask_bytes) {
  return guarded([&] {
    check_given(mask, "mask");
    skiff::segment(cpp(session), placement_of(placement), width, height, {mask, mask_bytes});
  });
}

}  // extern "C"
