#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "runtime/core/error.h"
#include "runtime/ops/attributes.h"

// Checks that can be switched off one at a time. A test's own build of the loader includes this
// header before everything else; from then on require() and check() ask passes() whether their
// condition counts. Objects built without it know nothing of this.
namespace skiff::test {

/// Where a check stands.
struct CheckSite {
  std::string_view file;  ///< name without folders
  int line = 0;
};

/// Notes a check; its number. Called for every check of the build before main() begins.
std::size_t add_check_site(const char* file, int line);
/// All checks of the build, by number.
const std::vector<CheckSite>& check_sites();

inline constexpr std::size_t kNoSite = static_cast<std::size_t>(-1);
/// The check that always passes from now on, or kNoSite.
void switch_off(std::size_t site);
/// The check that failed last, or kNoSite.
std::size_t last_failed();
void forget_last_failed();

/// What becomes of a check's condition.
bool passes(bool condition, std::size_t site) noexcept;

template <std::size_t size>
struct FileName {
  constexpr FileName(const char (&text)[size]) {
    for (std::size_t i = 0; i < size; ++i) characters[i] = text[i];
  }
  char characters[size] = {};
};
template <FileName file, int line>
struct RegisteredSite {
  static inline const std::size_t number = add_check_site(file.characters, line);
};

}  // namespace skiff::test

#define SKIFF_CHECK_SITE (::skiff::test::RegisteredSite<__FILE__, __LINE__>::number)
#define require(condition, ...) \
  require(::skiff::test::passes(static_cast<bool>(condition), SKIFF_CHECK_SITE), __VA_ARGS__)
#ifdef SKIFF_CHECK_SITES_OF_RULES  // elsewhere check() is also a name of other functions
#define check(node, condition, ...) \
  check(node, ::skiff::test::passes(static_cast<bool>(condition), SKIFF_CHECK_SITE), __VA_ARGS__)
#endif
