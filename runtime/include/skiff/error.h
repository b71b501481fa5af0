#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include <skiff/export.h>

namespace skiff {

/// What kind of thing went wrong. Values are stable (the C API hands them out).
enum class ErrorCode : std::int32_t {
  ok = 0,
  invalid_argument = 1,  ///< the caller's flag, shape, name or option is wrong
  not_found = 2,         ///< a file, tensor or device that was named does not exist
  io = 3,                ///< reading or writing failed (disk full, permission, truncated read)
  invalid_model = 4,     ///< the bytes are not a valid model: damaged, hostile or inconsistent
  unsupported = 5,       ///< valid, but not something this version can do; the message says what
  budget_exceeded = 6,   ///< more memory would be needed than the caller allows
  out_of_memory = 7,     ///< the system refused memory
  device = 8,            ///< a device failed or is missing
  bad_value = 9,         ///< run time: a value in an input (an index, say) is out of range
  internal = 10,         ///< a fault in Skiff itself
};

/// Short stable name of a code, e.g. "invalid_model".
SKIFF_API const char* name_of(ErrorCode code) noexcept;

/// The one exception of loading, converting and binding. The message names stage, node, tensor and
/// what would be right.
class SKIFF_API Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}
  ErrorCode code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
};

/// What run() returns: a code, a text that lives for ever and the node it happened at (-1: none).
class [[nodiscard]] Status {
 public:
  constexpr Status() noexcept = default;
  constexpr Status(ErrorCode code, const char* message, std::int32_t node = -1) noexcept
      : code_(code), node_(node), message_(message) {}
  constexpr bool ok() const noexcept { return code_ == ErrorCode::ok; }
  constexpr explicit operator bool() const noexcept { return ok(); }
  constexpr ErrorCode code() const noexcept { return code_; }
  constexpr std::int32_t node() const noexcept { return node_; }
  constexpr const char* message() const noexcept { return message_; }

 private:
  ErrorCode code_ = ErrorCode::ok;
  std::int32_t node_ = -1;
  const char* message_ = "ok";
};

}  // namespace skiff
