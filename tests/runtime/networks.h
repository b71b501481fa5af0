#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "converters/npy/npy.h"

namespace skiff::test {

/// A real network and the golden files that belong to it.
struct Network {
  const char* model;   ///< beneath models/ of the shared data
  const char* golden;  ///< begin of the golden files' names
  std::vector<std::string> from = {};
  std::vector<std::string> to = {};
  double relative_l2 = 5e-4;
};

/// The float networks that must agree with other runtimes.
const std::vector<Network>& networks();

/// Golden files of the network; empty when the shared data is missing.
std::vector<std::filesystem::path> golden_files(const Network& network);

/// The network as a .skiff file, inputs of the golden case's shapes. Made once a process.
const std::vector<std::byte>& converted(const Network& network, const npy::Archive& golden);

}  // namespace skiff::test
