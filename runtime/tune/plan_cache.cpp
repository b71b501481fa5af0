#include "runtime/tune/plan_cache.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "platform/sha256.h"
#include "platform/whole_file.h"
#include "runtime/core/error.h"

namespace skiff::tune {
namespace {

constexpr std::string_view kHeader = "skiff plans 1\n";
constexpr std::size_t kDigits = 64;

std::string digest_of(std::string_view text) {
  return platform::to_hex(platform::sha256(std::as_bytes(std::span(text)))).data();
}

bool is_key(std::string_view text) noexcept {
  return text.size() == kDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= PlanCache::kMostName &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

/// The text up to the line's end, which is taken off.
std::string_view take_line(std::string_view& text) noexcept {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// f() and true, or why it failed.
template <typename F>
bool succeeds(std::string& why, F&& f) {
  try {
    f();
    return true;
  } catch (const std::exception& error) {
    why = error.what();
    return false;
  }
}

}  // namespace

std::string PlanCache::key_of(std::string_view question) { return digest_of(question); }

bool PlanCache::parse(std::string_view text) {
  entries_.clear();
  if (text.size() > kMostBytes || !text.starts_with(kHeader)) return false;
  text.remove_prefix(kHeader.size());
  const std::string_view digest = take_line(text);
  if (digest != digest_of(text)) return false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::string_view key = line.substr(0, kDigits);
    const bool whole = is_key(key) && line.size() > kDigits && line[kDigits] == ' ' &&
                       is_name(line.substr(kDigits + 1));
    if (!whole) {
      entries_.clear();
      return false;
    }
    entries_[std::string(key)] = line.substr(kDigits + 1);
  }
  return true;
}

std::string PlanCache::text() const {
  std::string lines;
  for (const auto& [key, algorithm] : entries_) lines += message(key, " ", algorithm, "\n");
  return message(kHeader, digest_of(lines), "\n", lines);
}

bool PlanCache::load(const std::string& path, std::string& why) {
  entries_.clear();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return true;
  bool whole = false;
  const bool read = succeeds(why, [&] {
    const platform::File file(path.c_str());
    if (file.size() > kMostBytes) return;
    whole = parse(platform::read_whole<std::string>(file));
  });
  if (read && !whole) why = message("'", path, "' is damaged or of another version");
  return whole;
}

bool PlanCache::save(const std::string& path, std::string& why) const {
  PlanCache all;
  std::string ignored;
  static_cast<void>(all.load(path, ignored));  // a damaged one is replaced
  for (const auto& [key, algorithm] : entries_) all.entries_[key] = algorithm;
  const std::string text = all.text();
  if (text.size() > kMostBytes) {
    why = message("'", path, "' would be too large: delete it");
    return false;
  }
  return succeeds(why, [&] {
    if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty())
      std::filesystem::create_directories(folder);
    const std::span<const std::byte> piece = std::as_bytes(std::span(text));
    platform::write_file_atomically(path, {&piece, 1});
  });
}

std::string_view PlanCache::find(const std::string& key) const noexcept {
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::string_view() : std::string_view(found->second);
}

void PlanCache::put(const std::string& key, std::string_view algorithm) {
  if (is_key(key) && is_name(algorithm)) entries_[key] = algorithm;
}

std::string default_plan_cache() {
  const auto folder = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr || value[0] != '/' ? "" : value;
  };
  if (const std::string cache = folder("XDG_CACHE_HOME"); !cache.empty())
    return cache + "/skiff/plans";
  const std::string home = folder("HOME");
  return home.empty() ? "" : home + "/.cache/skiff/plans";
}

}  // namespace skiff::tune
