#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include <skiff/error.h>

#include "runtime/backend/api.h"

namespace skiff {

/// Writes an error in the form that crosses the edge between core and module.
inline std::int32_t tell(skiff_backend_error* error, ErrorCode code,
                         std::string_view text) noexcept {
  const std::size_t length = std::min(text.size(), sizeof(error->text) - 1);
  std::memcpy(error->text, text.data(), length);
  error->text[length] = '\0';
  error->code = static_cast<std::int32_t>(code);
  return error->code;
}

/// Runs f() and turns whatever it throws into a code and a text: no exception passes the edge.
template <typename F>
std::int32_t guarded(skiff_backend_error* error, F&& f) noexcept {
  try {
    f();
    return 0;
  } catch (const Error& caught) {
    return tell(error, caught.code(), caught.what());
  } catch (const std::bad_alloc&) {
    return tell(error, ErrorCode::out_of_memory, "out of memory");
  } catch (const std::exception& caught) {
    return tell(error, ErrorCode::internal, caught.what());
  }
}

}  // namespace skiff
