#include <gtest/gtest.h>
#include <skiff/skiff_c.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gpu.h"
#include "tests/support/command.h"
#include "tests/support/model_samples.h"

// Tuning through the C API, whose header cannot stand beside the GPU module's.
namespace skiff::test {
namespace {

void keep(void* user, const char* stage, double done) {
  EXPECT_STREQ(stage, "timing layers");
  static_cast<std::vector<double>*>(user)->push_back(done);
}

void expect_upwards(const std::vector<double>& told) {
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_GE(told.front(), 0);
  EXPECT_LE(told.back(), 1);
}

TEST(TuneInC, LoadingAndPreparingSayHowFarTheyAre) {
  const WithGpu gpu;
  const ScratchFolder folder;
  const std::string plans = folder / "plans";
  const auto bytes = file_of(*std::ranges::find(model_samples(), "sizes", &ModelSample::name));
  skiff_model* model = nullptr;
  ASSERT_EQ(skiff_model_from_bytes(bytes.data(), bytes.size(), &model), SKIFF_OK);
  std::vector<double> told;
  skiff_session_options options{};
  options.size = sizeof options;
  options.device = SKIFF_DEVICE_CUDA;
  options.tuning = SKIFF_TUNING_FAST;
  options.plan_cache = plans.c_str();
  options.progress = {keep, &told};
  skiff_session* session = nullptr;
  ASSERT_EQ(skiff_session_create(model, &options, &session), SKIFF_OK) << skiff_last_error();
  expect_upwards(told);
  told.clear();
  const skiff_input_shape shapes[] = {{0, 3, {3, 5, 4}}, {1, 2, {3, 3}}};
  EXPECT_EQ(skiff_session_prepare(session, shapes, 2), SKIFF_OK) << skiff_last_error();
  expect_upwards(told);
  skiff_session_free(session);
  skiff_model_free(model);
}

}  // namespace
}  // namespace skiff::test
