#pragma once

#include <skiff/session.h>
#include <skiff/skiff_c.h>

// The structs of the C API and the C++ ones, each way in one place. A function names every field of
// the C++ struct it converts: one more there does not compile before it has its twin here.
namespace skiff::c {

/// Throws Error{invalid_argument} for null; `name` is the parameter's.
void check_given(const void* pointer, const char* name);
template <typename T>
T& at(T* pointer, const char* name) {
  check_given(pointer, name);
  return *pointer;
}

/// Throws Error{not_found} unless index < count; `what` are counted.
void check_index(std::size_t index, std::size_t count, const char* what);

/// Null options are the defaults. Throws Error{invalid_argument, unsupported}.
LoadOptions options_of(const skiff_load_options* given);
/// `log` becomes what the session's messages go through and must outlive it.
SessionOptions options_of(const skiff_session_options* given, skiff_log& log);

/// Throws Error{invalid_argument}.
Shape shape_of(const std::int64_t* extents, std::int32_t rank);

void describe(const TensorDesc& from, std::byte* data, skiff_tensor* to);
inline void describe(const Tensor& from, skiff_tensor* to) {
  describe(from.desc(), from.bytes().data(), to);
}
void describe(const Quantization& from, skiff_quantization& to) noexcept;

// These fill what the caller's version of the struct has. Throw Error{invalid_argument}.
void describe(const Model& from, skiff_model_info* to);
void describe(const Session& from, skiff_session_info* to);
void describe(const SymbolDesc& from, skiff_symbol* to);
void describe(const Preprocessing& from, skiff_preprocessing* to);
void describe(const Postprocessing& from, skiff_postprocessing* to);
void describe(const MemoryReport& from, skiff_memory_report* to);
void describe(const StepInfo& from, std::size_t output_count, skiff_step* to);

inline skiff_text text_of(std::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace skiff::c
