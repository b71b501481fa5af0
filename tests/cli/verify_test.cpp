#include "tests/cli/tools.h"

// verify: golden data inside the model.
namespace skiff::test {
namespace {

TEST(Verify, RightOnEveryInstructionSet) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "--golden auto");
  for (const std::string& isa : isas_here(scratch)) {
    const Said said = skiff("verify --isa=" + isa + " " + model);
    EXPECT_EQ(said.code, 0) << said.text;
    EXPECT_FALSE(said.says(" 0 layers checked")) << said.text;
  }
}

TEST(Verify, NeedsGoldenData) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const Said said = skiff("verify " + model);
  EXPECT_EQ(said.code, 1);
  EXPECT_TRUE(said.says("--golden")) << said.text;
}

/// Weights changed behind the digests' back: the first layer is the one that uses them.
TEST(Verify, NamesTheFirstLayerThatIsOff) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "--golden auto");
  const std::string bytes = read_text(model), file = scratch / "damaged.skiff";
  bool found = false;
  // Data is aligned to 256 bytes; somewhere there lie the weights of the first step.
  for (std::size_t at = 0; at < bytes.size() && !found; at += 256) {
    std::string damaged = bytes;
    for (std::size_t i = at; i < std::min(at + 64, bytes.size()); ++i)
      damaged[i] = static_cast<char>(damaged[i] ^ 0x11);
    std::ofstream(file, std::ios::binary) << damaged;
    const Said said = skiff("verify --digest=off " + file);
    found = said.code == 1 && said.says("first layer that is off: step 0");
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(skiff("verify " + file).code, 1) << "with digests it does not load";
}

}  // namespace
}  // namespace skiff::test
