#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "converters/dynamic/dynamic.h"
#include "converters/npy/npy.h"

namespace skiff::test {

/// A real network and the golden files that belong to it.
struct Network {
  const char* model;   ///< beneath models/ of the shared data
  const char* golden;  ///< begin of the golden files' names
  /// Sizes that stay open; the golden files' shapes lie within.
  std::vector<dynamic::Bounds> dyn = {};
  std::vector<std::string> from = {};
  std::vector<std::string> to = {};
  double relative_l2 = 5e-4;
  double floor = 0;               ///< what the other runtime itself is off by
  DType precision = DType::none;  ///< what --fp16 and --bf16 set

  /// Unlike any other network's.
  std::string label() const {
    return std::string(golden) + (dyn.empty() ? "" : "_any_size") +
           (precision == DType::none ? "" : std::string("_") + name_of(precision));
  }
};

/// The float networks that must agree with other runtimes.
const std::vector<Network>& networks();

/// What a 16-bit float is: the type of the weights, or also of what passes between the layers (the
/// GPU's kernels round that; the CPU's compute in float32).
enum class Narrow : std::uint8_t { weights, layers };

/// The same networks stored as a 16-bit float, with its tolerance or what the network is known to
/// need. Those that the type is not enough for are left out.
std::vector<Network> networks_as(DType precision, Narrow narrow = Narrow::weights);

/// Golden files of the network; empty when the shared data is missing.
std::vector<std::filesystem::path> golden_files(const Network& network);

/// The networks among them whose sizes stay open.
std::vector<Network> open_networks();

/// The network as a .skiff file, inputs of the golden case's shapes where they are fixed. Made once
/// a process.
const std::vector<std::byte>& converted(const Network& network, const npy::Archive& golden);

/// Files of classifiers of the usual sizes, ResNet-50 to VGG-19, whose weights are constants: they
/// show structure, memory and speed, not values.
std::vector<std::filesystem::path> light_networks();

/// A test of one network's file; skipped where the shared data is missing.
class NetworkTest : public ::testing::TestWithParam<Network> {
 protected:
  void SetUp() override;
  const std::vector<std::byte>* bytes_ = nullptr;
};

}  // namespace skiff::test
