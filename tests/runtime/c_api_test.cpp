#include <gtest/gtest.h>
#include <skiff/session.h>
#include <skiff/skiff_c.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "tests/runtime/networks.h"
#include "tests/support/malloc_probe.h"
#include "tests/support/model_samples.h"

namespace skiff::test {
namespace {

TEST(CApi, ReportsErrorsAsCodes) {
  skiff_model* model = nullptr;
  EXPECT_EQ(skiff_model_load("/no/such/file.skiff", &model),
            static_cast<std::int32_t>(ErrorCode::not_found));
  EXPECT_NE(std::string(skiff_last_error()).find("/no/such/file.skiff"), std::string::npos);
  const char bytes[200] = "not a model";
  EXPECT_EQ(skiff_model_from_bytes(bytes, sizeof(bytes), &model),
            static_cast<std::int32_t>(ErrorCode::invalid_model));
  EXPECT_EQ(model, nullptr);
}

TEST(CApi, ComputesWhatTheCppApiComputes) {
  const Network& network = networks().front();
  const auto files = golden_files(network);
  if (files.empty()) GTEST_SKIP() << "no shared data for " << network.model << " (set SKIFF_DATA)";
  const auto& bytes = converted(network, npy::load_npz(files.front().string()));
  skiff_model* model = nullptr;
  ASSERT_EQ(skiff_model_from_bytes(bytes.data(), bytes.size(), &model), 0) << skiff_last_error();
  skiff_session_options options{};
  options.size = sizeof(options);
  options.threads = 2;
  options.fuse = 1;
  skiff_session* session = nullptr;
  ASSERT_EQ(skiff_session_create(model, &options, &session), 0) << skiff_last_error();
  skiff_model_free(model);  // the session keeps what it needs

  Session reference(Model::from_bytes(bytes));
  skiff_tensor input{}, output{};
  ASSERT_EQ(skiff_session_input(session, 0, &input), 0);
  ASSERT_EQ(input.bytes, reference.input(0).bytes().size());
  std::memset(input.data, 0x3e, input.bytes);
  std::ranges::fill(reference.input(0).bytes(), std::byte{0x3e});
  ASSERT_EQ(skiff_session_run(session), 0) << skiff_last_error();
  ASSERT_TRUE(reference.run().ok());
  ASSERT_EQ(skiff_session_output(session, 0, &output), 0);
  ASSERT_EQ(output.bytes, reference.output(0).bytes().size());
  EXPECT_EQ(std::memcmp(output.data, reference.output(0).bytes().data(), output.bytes), 0);
  EXPECT_EQ(skiff_session_output(session, 7, &output),
            static_cast<std::int32_t>(ErrorCode::not_found));
  EXPECT_GT(skiff_session_memory_total(session), 0u);
  skiff_session_free(session);
}

TEST(CApi, RefusesNumbersThatStandForNothing) {
  const std::vector<std::byte> bytes = file_of(model_samples().front());
  skiff_model* model = nullptr;
  ASSERT_EQ(skiff_model_from_bytes(bytes.data(), bytes.size(), &model), 0) << skiff_last_error();
  for (std::int32_t skiff_session_options::*field :
       {&skiff_session_options::device, &skiff_session_options::tuning,
        &skiff_session_options::fuse}) {
    for (const std::int32_t number : {-1, 3}) {
      skiff_session_options options{};
      options.size = sizeof(options);
      options.*field = number;
      skiff_session* session = nullptr;
      EXPECT_EQ(skiff_session_create(model, &options, &session),
                static_cast<std::int32_t>(ErrorCode::invalid_argument));
      EXPECT_EQ(session, nullptr);
      EXPECT_NE(std::string(skiff_last_error()).find(std::to_string(number)), std::string::npos);
    }
  }
  skiff_model_free(model);
}

TEST(CApi, ResizingAndRunningAllocateNothing) {
  const auto samples = model_samples();
  const auto sizes = std::ranges::find(samples, std::string_view("sizes"), &ModelSample::name);
  ASSERT_NE(sizes, samples.end());
  const std::vector<std::byte> bytes = file_of(*sizes);
  skiff_model* model = nullptr;
  skiff_session* session = nullptr;
  ASSERT_EQ(skiff_model_from_bytes(bytes.data(), bytes.size(), &model), 0) << skiff_last_error();
  ASSERT_EQ(skiff_session_create(model, nullptr, &session), 0) << skiff_last_error();
  const skiff_input_shape shapes[] = {{0, 3, {2, 7, 4}}, {1, 2, {2, 3}}};
  skiff_tensor tensor;
  MallocProbe probe;
  std::int32_t failed = skiff_session_resize(session, 0, shapes[0].shape, 3);
  failed |= skiff_session_run(session) | skiff_session_output(session, 0, &tensor);
  failed |= skiff_session_resize(session, 0, std::array<std::int64_t, 3>{1, 2, 4}.data(), 3);
  failed |= skiff_session_resize_all(session, shapes, 2) | skiff_session_run(session);
  skiff_session_reset(session);
  EXPECT_EQ(probe.stop().calls, 0u);
  EXPECT_EQ(failed, 0) << skiff_last_error();
  skiff_session_free(session);
  skiff_model_free(model);
}

}  // namespace
}  // namespace skiff::test
