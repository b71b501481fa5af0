#include "tests/support/check_sites.h"

// The functions behind the macros, not calls of them.
#undef require
#undef check

namespace skiff::test {
namespace {

std::size_t off = kNoSite, failed = kNoSite;

std::vector<CheckSite>& sites() {
  static std::vector<CheckSite> all;
  return all;
}

}  // namespace

std::size_t add_check_site(const char* file, int line) {
  const std::string_view path(file);
  sites().push_back({path.substr(path.rfind('/') + 1), line});
  return sites().size() - 1;
}

const std::vector<CheckSite>& check_sites() { return sites(); }
void switch_off(std::size_t site) { off = site; }
std::size_t last_failed() { return failed; }
void forget_last_failed() { failed = kNoSite; }

bool passes(bool condition, std::size_t site) noexcept {
  if (condition || site == off) return true;
  failed = site;
  return false;
}

}  // namespace skiff::test
