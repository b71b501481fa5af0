#include "platform/board.h"

#include <gnu/libc-version.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <string_view>

#include "platform/small_file.h"

namespace skiff::platform {
namespace {

struct Release {
  std::string_view l4t, jetpack;
};

// From the release notes of Jetson Linux. An entry covers what starts with it, so more exact ones
// come first.
constexpr Release kReleases[] = {
    {"32.7.1", "4.6.1"}, {"32.7.2", "4.6.2"}, {"32.7.3", "4.6.3"}, {"32.7.4", "4.6.4"},
    {"32.7.5", "4.6.5"}, {"32.7.6", "4.6.6"}, {"32.6", "4.6"},     {"32.", "4.x"},
    {"35.2", "5.1"},     {"35.3", "5.1.1"},   {"35.4", "5.1.2"},   {"35.5", "5.1.3"},
    {"35.6.0", "5.1.4"}, {"35.6.1", "5.1.5"}, {"35.", "5.x"},      {"36.3", "6.0"},
    {"36.4.0", "6.1"},   {"36.4.3", "6.2"},   {"36.4.4", "6.2.1"}, {"36.", "6.x"},
    {"38.2", "7.0"},     {"38.", "7.x"},
};

// The last of the NUL-separated entries, less the vendor: "nvidia,tegra234" -> "tegra234".
std::string soc_of(std::string_view compatible) {
  const std::size_t nul = compatible.find_last_of('\0');
  if (nul != std::string_view::npos) compatible.remove_prefix(nul + 1);
  const std::size_t comma = compatible.find(',');
  if (comma != std::string_view::npos) compatible.remove_prefix(comma + 1);
  return std::string(compatible);
}

std::string_view between(std::string_view text, std::string_view before, std::string_view ends) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + before.size());
  return text.substr(0, text.find_first_of(ends));
}

// "# R36 (release), REVISION: 4.3, GCID: ..." -> "36.4.3".
std::string l4t_of(std::string_view release) {
  const std::string_view major = between(release, "# R", " (");
  const std::string_view revision = between(release, "REVISION: ", ", \n");
  if (major.empty()) return {};
  return std::string(major) + (revision.empty() ? "" : "." + std::string(revision));
}

// Printable characters only: the text goes to terminals and into JSON.
std::string clean(std::string_view text) {
  std::string result;
  for (char c : text)
    if (c >= ' ' && c <= '~') result += c;
  return result;
}

}  // namespace

std::string jetpack_of(const std::string& l4t) {
  for (const Release& release : kReleases) {
    if (!l4t.starts_with(release.l4t)) continue;
    // "36.4" must not be taken for a prefix of "36.40".
    const bool whole = release.l4t.back() == '.' || l4t.size() == release.l4t.size() ||
                       l4t[release.l4t.size()] == '.';
    if (whole) return std::string(release.jetpack);
  }
  return {};
}

Board board(const char* root) {
  char buffer[4096];
  Board result;
  result.model = clean(read_small_file(root, "/proc/device-tree/model", buffer));
  result.soc = clean(soc_of(read_small_file(root, "/proc/device-tree/compatible", buffer)));
  result.l4t = clean(l4t_of(read_small_file(root, "/etc/nv_tegra_release", buffer)));
  result.jetpack = jetpack_of(result.l4t);
  std::string_view os = read_small_file(root, "/etc/os-release", buffer);
  if (os.empty()) os = read_small_file(root, "/usr/lib/os-release", buffer);
  result.os = clean(between(os, "PRETTY_NAME=\"", "\"\n"));
  for (const char* device : {"/dev/nvhost-ctrl-nvdla0", "/dev/nvhost-nvdla0"})
    result.has_dla |= ::access((std::string(root) + device).c_str(), F_OK) == 0;
  utsname system;
  if (::uname(&system) == 0) {
    result.kernel = system.release;
    result.arch = system.machine;
  }
  result.libc = std::string("glibc ") + gnu_get_libc_version();
  return result;
}

}  // namespace skiff::platform
