#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace skiff::cli {

/// The number that all of a text says; none: it says another thing, or more than T holds.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end ? std::optional<T>(number) : std::nullopt;
}

}  // namespace skiff::cli
