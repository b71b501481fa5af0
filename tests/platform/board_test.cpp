#include "platform/board.h"

#include <gtest/gtest.h>

#include "tests/platform/temporary_folder.h"

namespace skiff::platform {
namespace {

using namespace std::string_view_literals;

TEST(Board, ReadsAnOrin) {
  TemporaryFolder root;
  root.write("proc/device-tree/model", "NVIDIA Jetson Orin Nano Engineering Reference Kit\0"sv);
  root.write("proc/device-tree/compatible", "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0"sv);
  root.write("etc/nv_tegra_release",
             "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, "
             "DATE: Wed Jan  8 01:49:37 UTC 2025\n# KERNEL_VARIANT: oot\n");
  root.write("etc/os-release", "NAME=\"Ubuntu\"\nPRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nID=ubuntu\n");
  root.write("dev/nvhost-ctrl-nvdla0", "");
  const Board orin = board(root.root());
  EXPECT_EQ(orin.model, "NVIDIA Jetson Orin Nano Engineering Reference Kit");
  EXPECT_EQ(orin.soc, "tegra234");
  EXPECT_EQ(orin.l4t, "36.4.3");
  EXPECT_EQ(orin.jetpack, "6.2");
  EXPECT_EQ(orin.os, "Ubuntu 22.04.5 LTS");
  EXPECT_TRUE(orin.has_dla);
  EXPECT_TRUE(orin.is_jetson());
}

TEST(Board, EmptyMachineIsNoError) {
  TemporaryFolder root;
  const Board nothing = board(root.root());
  EXPECT_EQ(nothing.model, "");
  EXPECT_EQ(nothing.soc, "");
  EXPECT_FALSE(nothing.is_jetson());
  EXPECT_FALSE(nothing.has_dla);
  EXPECT_TRUE(nothing.libc.starts_with("glibc 2."));
  EXPECT_FALSE(nothing.arch.empty());
}

TEST(Board, StrangeFilesAreNoError) {
  TemporaryFolder root;
  root.write("proc/device-tree/model", std::string(10'000, '\x1b'));
  root.write("proc/device-tree/compatible", "\0\0\0,,,"sv);
  root.write("etc/nv_tegra_release", "# R99 (experimental)\n");
  root.write("etc/os-release", "PRETTY_NAME=\"");
  const Board strange = board(root.root());
  EXPECT_EQ(strange.model, "");
  EXPECT_EQ(strange.l4t, "99");
  EXPECT_EQ(strange.jetpack, "");
}

TEST(Board, MapsReleasesOfJetsonLinux) {
  EXPECT_EQ(jetpack_of("32.7.6"), "4.6.6");
  EXPECT_EQ(jetpack_of("35.4.1"), "5.1.2");
  EXPECT_EQ(jetpack_of("36.3.0"), "6.0");
  EXPECT_EQ(jetpack_of("36.4.4"), "6.2.1");
  EXPECT_EQ(jetpack_of("36.40"), "6.x");
  EXPECT_EQ(jetpack_of("38.2.1"), "7.0");
  EXPECT_EQ(jetpack_of("38.4.0"), "7.x");
  EXPECT_EQ(jetpack_of("12.0"), "");
  EXPECT_EQ(jetpack_of(""), "");
}

}  // namespace
}  // namespace skiff::platform
