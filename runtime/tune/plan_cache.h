#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace skiff::tune {

/// Which algorithm was found fastest for what, as a file beside the models: text, a line an entry,
/// under the SHA-256 of all of it. Nothing depends on it but speed: what is damaged or of another
/// version counts as empty.
///
///     skiff plans 1
///     <hexadecimal digest of the lines below>
///     <hexadecimal key> <algorithm>
class PlanCache {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{8} << 20, kMostName = 200;

  /// The key of a question: everything that bears on its answer, as text.
  static std::string key_of(std::string_view question);

  /// Reads the text of a file. False, and then empty, when it is not whole.
  bool parse(std::string_view text);
  std::string text() const;

  /// Reads a file; a missing one is an empty one. False with the reason when there is one that
  /// cannot be used.
  bool load(const std::string& path, std::string& why);
  /// Adds these entries to those in the file, which changes as a whole or not at all; of two
  /// writers at once one may lose its entries. False with the reason when it cannot be written.
  bool save(const std::string& path, std::string& why) const;

  /// Empty: not known.
  std::string_view find(const std::string& key) const noexcept;
  /// Names that no file can hold are left out.
  void put(const std::string& key, std::string_view algorithm);
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  std::map<std::string, std::string> entries_;
};

/// skiff/plans in the user's cache folder; empty when there is none (XDG_CACHE_HOME, HOME).
std::string default_plan_cache();

}  // namespace skiff::tune
