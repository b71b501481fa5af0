#pragma once

#include <string>

namespace skiff::platform {

/// What the machine says about itself; every text is empty where it does not say, and nothing here
/// ever fails on a machine nobody has heard of.
struct Board {
  std::string model;     ///< device tree, e.g. "NVIDIA Jetson Orin Nano Developer Kit"
  std::string soc;       ///< last entry of the device tree's list, e.g. "tegra234"
  std::string l4t;       ///< Jetson Linux, e.g. "36.4.3"
  std::string jetpack;   ///< what that release of Jetson Linux belongs to, e.g. "6.2"
  std::string os;        ///< e.g. "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;    ///< e.g. "5.15.148-tegra"
  std::string arch;      ///< e.g. "aarch64"
  std::string libc;      ///< e.g. "glibc 2.35"
  bool has_dla = false;  ///< a deep-learning accelerator is there (Skiff does not use it)

  bool is_jetson() const { return !l4t.empty() || soc.starts_with("tegra"); }
};

/// Reads files beneath `root` ("" for this machine); kernel, architecture and C library are always
/// this machine's.
Board board(const char* root = "");

/// JetPack that belongs to a release of Jetson Linux: exact where known, the major version ("6.x")
/// for others of a known major, "" for the rest.
std::string jetpack_of(const std::string& l4t);

}  // namespace skiff::platform
