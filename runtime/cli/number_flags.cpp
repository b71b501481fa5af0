#include "runtime/cli/number_flags.h"

#include <fmt/format.h>

#include "runtime/cli/parse_number.h"

namespace skiff::cli {
namespace {

template <typename T>
CLI::Validator number_within(const char* kind, T least, T most) {
  const std::string bounds = most == std::numeric_limits<T>::max()
                                 ? fmt::format("of {} or more", least)
                                 : fmt::format("from {} to {}", least, most);
  const auto check = [=](const std::string& text) {
    const auto number = parse_number<T>(text);
    const bool good = number && *number >= least && *number <= most;
    return good ? std::string() : fmt::format("should be a {} {}, not '{}'", kind, bounds, text);
  };
  return CLI::Validator(check, bounds);
}

}  // namespace

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  return number_within("whole number", least, most);
}

CLI::Validator real_number(double least, double most) {
  return number_within("number", least, most);
}

}  // namespace skiff::cli
