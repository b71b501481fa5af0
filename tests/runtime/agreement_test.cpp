#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cstring>

#include "tests/runtime/networks.h"
#include "tests/support/agreement.h"
#include "tests/support/shared_data.h"

// The whole way for real networks: converted, loaded, run, compared with what another runtime
// computed (golden/README.md defines agreement). Bits must not depend on threads.
namespace skiff::test {
namespace {

void set_inputs(Session& session, const npy::Archive& golden) {
  std::vector<InputShape> shapes;
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const std::string_view name = session.input(i).name();
    shapes.push_back({name, golden.at("in/" + std::string(name)).shape});
  }
  const Status resized = session.resize(shapes);
  ASSERT_TRUE(resized.ok()) << resized.message();
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    const npy::Array& array = golden.at("in/" + std::string(input.name()));
    ASSERT_EQ(array.dtype, input.dtype());
    ASSERT_EQ(array.bytes.size(), input.bytes().size());
    std::memcpy(input.bytes().data(), array.bytes.data(), array.bytes.size());
  }
}

class Agreement : public ::testing::TestWithParam<Network> {};

TEST_P(Agreement, WithAnotherRuntime) {
  const Network& network = GetParam();
  const auto files = golden_files(network);
  if (files.empty()) GTEST_SKIP() << "no shared data for " << network.model << " (set SKIFF_DATA)";
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename().string());
    const npy::Archive golden = npy::load_npz(file.string());
    const Model model = Model::from_bytes(converted(network, golden));
    Session one(model), two(model, {.threads = 2});
    ASSERT_NO_FATAL_FAILURE(set_inputs(one, golden));
    ASSERT_NO_FATAL_FAILURE(set_inputs(two, golden));
    ASSERT_TRUE(one.run().ok());
    ASSERT_TRUE(two.run().ok());
    for (std::size_t i = 0; i < one.output_count(); ++i) {
      const Tensor output = one.output(i), other = two.output(i);
      const npy::Array& expected = golden.at("out/" + std::string(output.name()));
      EXPECT_EQ(output.shape(), expected.shape) << output.name();
      const auto numbers = output.values<const float>();
      expect_agreement({numbers.begin(), numbers.end()}, numbers_of(expected),
                       std::string(output.name()), network.relative_l2, network.floor);
      EXPECT_TRUE(std::ranges::equal(output.bytes(), other.bytes())) << "threads change bits";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, Agreement, ::testing::ValuesIn(networks()),
                         [](const auto& tested) { return test_label(tested.param.label()); });

// What the CPU makes of 16-bit files: the weights are rounded, the arithmetic is float32.
INSTANTIATE_TEST_SUITE_P(Float16, Agreement, ::testing::ValuesIn(networks_as(DType::float16)),
                         [](const auto& tested) { return test_label(tested.param.label()); });
INSTANTIATE_TEST_SUITE_P(BFloat16, Agreement, ::testing::ValuesIn(networks_as(DType::bfloat16)),
                         [](const auto& tested) { return test_label(tested.param.label()); });

}  // namespace
}  // namespace skiff::test
