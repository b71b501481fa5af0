#pragma once

#include <cstdint>

namespace skiff::platform {

enum class LogLevel : std::int32_t { error = 0, warning = 1, info = 2, debug = 3 };

/// Receives one line without its line end; `message` is valid during the call only. May be called
/// from the thread that loads a model or makes a session, never from run().
using LogFunction = void (*)(void* user, LogLevel level, const char* message);

/// Where messages go. The library itself prints nothing: without a function they are dropped.
struct Log {
  LogFunction function = nullptr;
  void* user = nullptr;

  void operator()(LogLevel level, const char* message) const {
    if (function != nullptr) function(user, level, message);
  }
};

}  // namespace skiff::platform
