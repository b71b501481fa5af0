#include "runtime/cli/byte_count.h"

#include <fmt/format.h>

#include <charconv>

#include "runtime/core/error.h"

namespace skiff::cli {

std::uint64_t parse_bytes(const std::string& text) {
  if (text.empty()) return 0;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string unit(rest, end);
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  require(error == std::errc() && shift >= 0 && number > 0 && number < std::uint64_t{1} << 33,
          ErrorCode::invalid_argument, "'", text, "' is no size: should be like 600M (K, M, G)");
  return number << shift;
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 10 * 1024) return fmt::format("{} B", bytes);
  if (bytes < 10 * 1024 * 1024) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  const double mib = static_cast<double>(bytes) / (1024 * 1024);
  return mib < 10 * 1024 ? fmt::format("{:.1f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

}  // namespace skiff::cli
