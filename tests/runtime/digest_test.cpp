#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <skiff/skiff.h>

#include "schema/skiff_generated.h"
#include "tests/runtime/networks.h"
#include "tests/support/shared_data.h"
#include "tests/support/skiff_file.h"

// A constant is trusted when its digest was checked, in whatever order and beside whatever other
// constant it is hashed.
namespace skiff::test {
namespace {

/// What a session says, or nothing.
std::string complaint_of(std::span<const std::byte> file) {
  const Model model = Model::from_bytes(file);
  try {
    const Session session(model, {.device = DeviceKind::cpu});
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_model);
    return error.what();
  }
}

class Digests : public NetworkTest {};

// A damaged byte at the begin, in the middle or at the end of each.
TEST_P(Digests, EveryDamagedBufferIsNamed) {
  std::vector<std::byte> file = *bytes_;
  const auto& buffers = *fb::GetModel(file.data() + 128)->buffers();
  const std::size_t data = parts_of(file).data_offset;
  unsigned named = 0, whole = 0;
  for (unsigned i = 0; i < buffers.size(); ++i) {
    const std::size_t size = buffers[i]->size();
    if (size == 0) continue;
    std::byte& damaged = file[data + buffers[i]->offset() + (size - 1) * (i % 3) / 2];
    damaged ^= std::byte{1};
    const std::string complaint = complaint_of(file);
    damaged ^= std::byte{1};
    ++whole;
    if (complaint.empty()) continue;  // no kernel reads it
    ++named;
    EXPECT_NE(complaint.find("the digest of buffer " + std::to_string(i) + " does not match"),
              std::string::npos)
        << complaint;
  }
  EXPECT_GT(named, whole / 2);
  EXPECT_EQ(complaint_of(file), "");
}

/// The bits of all outputs.
std::vector<std::byte> outputs_of(std::span<const std::byte> file, bool digests) {
  const Model model = Model::from_bytes(file, {.digests = digests});
  Session session(model, {.device = DeviceKind::cpu});
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    if (session.input(i).dtype() != DType::float32) continue;
    float next = -1;
    for (float& value : session.input(i).values<float>()) value = next += 0x1p-10f;
  }
  EXPECT_TRUE(session.run().ok());
  std::vector<std::byte> bits;
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const auto bytes = session.output(i).bytes();
    bits.insert(bits.end(), bytes.begin(), bytes.end());
  }
  return bits;
}

TEST_P(Digests, ChangeNoBit) { EXPECT_EQ(outputs_of(*bytes_, true), outputs_of(*bytes_, false)); }

/// With weights of all kinds, more and less of them than activations.
std::vector<Network> some_of(const std::vector<Network>& all) {
  constexpr std::string_view kSome[] = {"mnist",
                                        "face_detection_short_range",
                                        "mobilenet_v2_025",
                                        "resnet_bottleneck",
                                        "text_encoder",
                                        "trained_lstm"};
  std::vector<Network> some;
  for (const Network& network : all)
    if (network.dyn.empty() && std::ranges::find(kSome, network.golden) != std::end(kSome))
      some.push_back(network);
  return some;
}

INSTANTIATE_TEST_SUITE_P(Networks, Digests, ::testing::ValuesIn(some_of(networks())),
                         [](const auto& tested) { return test_label(tested.param.label()); });
INSTANTIATE_TEST_SUITE_P(Float16, Digests,
                         ::testing::ValuesIn(some_of(networks_as(DType::float16))),
                         [](const auto& tested) { return test_label(tested.param.label()); });

}  // namespace
}  // namespace skiff::test
