#include <skiff/session.h>
#include <skiff/skiff_c.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "runtime/core/error.h"

struct skiff_model {
  skiff::Model model;
};
struct skiff_session {
  skiff::Session session;
};

namespace {

thread_local char g_message[512] = "";

std::int32_t keep(skiff::ErrorCode code, const char* message) noexcept {
  std::strncpy(g_message, message, sizeof(g_message) - 1);
  return static_cast<std::int32_t>(code);
}

/// Keeps what is being caught.
std::int32_t keep_caught() noexcept {
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
std::int32_t guarded(F&& f) noexcept {
  try {
    f();
    return 0;
  } catch (...) {
    return keep_caught();
  }
}

/// An enumerator that has a number from 0 to that of `last`.
template <typename E>
E enumerator(std::int32_t number, E last, const char* what) {
  skiff::require(number >= 0 && number <= static_cast<std::int32_t>(last),
                 skiff::ErrorCode::invalid_argument, what, ": there is no number ", number);
  return static_cast<E>(number);
}

skiff::SessionOptions options_of(const skiff_session_options* given) {
  skiff::SessionOptions options;
  if (given == nullptr) return options;
  // A caller compiled with an older header knows fewer fields; the rest stay zero.
  skiff_session_options known{};
  std::memcpy(&known, given, std::min<std::size_t>(given->size, sizeof(known)));
  options.device = enumerator(known.device, skiff::DeviceKind::cuda, "device");
  options.threads = known.threads == 0 ? 1 : known.threads;
  options.strict_gpu = known.strict_gpu != 0;
  options.isa = known.isa;
  options.memory_limit = known.memory_limit;
  options.stream = known.stream;
  options.gpu = known.gpu;
  options.tuning = enumerator(known.tuning, skiff::Tuning::full, "tuning");
  options.plan_cache = known.plan_cache;
  options.fuse = enumerator(known.fuse, skiff::Fuse::on, "fuse");
  options.tf32 = known.tf32 != 0;
  return options;
}

std::vector<skiff::InputShape> shapes_of(const skiff::Session& session,
                                         const skiff_input_shape* shapes, size_t count) {
  std::vector<skiff::InputShape> result;
  for (const skiff_input_shape& given : std::span(shapes, count)) {
    skiff::require(given.rank >= 0 && given.rank <= skiff::kMaxRank,
                   skiff::ErrorCode::invalid_argument, "a shape has 0 to 8 axes");
    result.push_back({session.input(given.input).name(),
                      skiff::Shape({given.shape, static_cast<std::size_t>(given.rank)})});
  }
  return result;
}

void describe(const skiff::Tensor& from, skiff_tensor* to) {
  *to = {};
  to->name = from.name().data();
  to->name_length = from.name().size();
  to->dtype = static_cast<std::int32_t>(from.dtype());
  to->rank = from.shape().rank();
  std::copy(from.shape().begin(), from.shape().end(), to->shape);
  to->data = from.bytes().data();
  to->bytes = from.bytes().size();
}

}  // namespace

extern "C" {

const char* skiff_last_error(void) { return g_message; }

int32_t skiff_model_load(const char* path, skiff_model** model) {
  return guarded([&] { *model = new skiff_model{skiff::Model::load(path)}; });
}

int32_t skiff_model_from_bytes(const void* bytes, size_t size, skiff_model** model) {
  return guarded([&] {
    *model =
        new skiff_model{skiff::Model::from_bytes({static_cast<const std::byte*>(bytes), size})};
  });
}

void skiff_model_free(skiff_model* model) { delete model; }

int32_t skiff_session_create(const skiff_model* model, const skiff_session_options* options,
                             skiff_session** session) {
  return guarded(
      [&] { *session = new skiff_session{skiff::Session(model->model, options_of(options))}; });
}

void skiff_session_free(skiff_session* session) { delete session; }

size_t skiff_session_input_count(const skiff_session* session) {
  return session->session.input_count();
}
size_t skiff_session_output_count(const skiff_session* session) {
  return session->session.output_count();
}

int32_t skiff_session_input(const skiff_session* session, size_t index, skiff_tensor* tensor) {
  return guarded([&] { describe(session->session.input(index), tensor); });
}

int32_t skiff_session_output(const skiff_session* session, size_t index, skiff_tensor* tensor) {
  return guarded([&] { describe(session->session.output(index), tensor); });
}

int32_t skiff_session_resize(skiff_session* session, size_t input, const int64_t* shape,
                             int32_t rank) {
  skiff_input_shape one{input, rank, {}};
  std::copy_n(shape, std::clamp(rank, 0, skiff::kMaxRank), one.shape);
  return skiff_session_resize_all(session, &one, 1);
}

int32_t skiff_session_resize_all(skiff_session* session, const skiff_input_shape* shapes,
                                 size_t count) {
  return guarded([&] {
    const skiff::Status status =
        session->session.resize(shapes_of(session->session, shapes, count));
    if (!status.ok()) throw skiff::Error(status.code(), status.message());
  });
}

int32_t skiff_session_prepare(skiff_session* session, const skiff_input_shape* shapes,
                              size_t count) {
  return guarded([&] { session->session.prepare(shapes_of(session->session, shapes, count)); });
}

void skiff_session_reset(skiff_session* session) { session->session.reset(); }

int32_t skiff_session_run(skiff_session* session) {
  const skiff::Status status = session->session.run();
  return status.ok() ? 0 : keep(status.code(), status.message());
}

uint64_t skiff_session_memory_total(const skiff_session* session) {
  return session->session.memory().total;
}

}  // extern "C"
