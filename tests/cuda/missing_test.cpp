#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <string>
#include <utility>
#include <vector>

#include "gpu.h"
#include "tests/support/model_samples.h"

// What may be missing on a machine: each is found when a session is made, said in one sentence with
// its remedy, and the CPU takes over, unless the caller insists on the GPU.
namespace skiff::test {
namespace {

void collect(void* texts, LogLevel level, const char* text) {
  EXPECT_EQ(level, LogLevel::warning);
  static_cast<std::vector<std::string>*>(texts)->push_back(text);
}

/// A session that asks for the GPU gets the CPU and hears `why`; one that insists is refused with
/// the same.
void expect_cpu(const std::string& why, int gpu = 0) {
  SCOPED_TRACE(why);
  const std::vector<std::byte> bytes = file_of(model_samples()[0]);
  const Model model = Model::from_bytes(bytes);
  std::vector<std::string> said;
  Session session(model, {.device = DeviceKind::cuda, .log = {collect, &said}, .gpu = gpu});
  EXPECT_EQ(session.device(), DeviceKind::cpu);
  EXPECT_TRUE(session.run().ok());
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find(why), std::string::npos) << said[0];
  try {
    const Session strict(model, {.device = DeviceKind::cuda, .strict_gpu = true, .gpu = gpu});
    ADD_FAILURE() << "--strict-gpu is not kept";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::device);
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
}

void expect_cpu_on(const cuda_double_device& device, const std::string& why, int gpu = 0) {
  const WithGpu fresh;
  cuda_double_set_device(&device);
  expect_cpu(why, gpu);
}

// First: a module that was found once is kept.
TEST(Missing, Module) {
  setenv("SKIFF_CUDA_MODULE", "/nowhere/libskiff_cuda.so", 1);
  expect_cpu("/nowhere/libskiff_cuda.so: cannot open shared object file");
  const std::string lacking = SKIFF_LACKING_MODULES;
  for (const auto& [library, why] :
       {std::pair("cudnn",
                  "(libcudnn.so.8: cannot open shared object file: No such file or "
                  "directory): install cuDNN 9"),
        std::pair("cudart",
                  "(libcudart.so.12: cannot open shared object file: No such file or "
                  "directory): install the CUDA runtime of that version"),
        std::pair("cublasLt",
                  "(libcublasLt.so.12: cannot open shared object file: No such file or "
                  "directory): install cuBLAS of that version")}) {
    setenv("SKIFF_CUDA_MODULE", (lacking + library + ".so").c_str(), 1);
    expect_cpu(why);
  }
  setenv("SKIFF_CUDA_MODULE", SKIFF_FOREIGN_MODULE, 1);
  expect_cpu("is of another version of Skiff");
  unsetenv("SKIFF_CUDA_MODULE");
  expect_cpu("this is a build for the CPU");
}

TEST(Missing, Driver) {
  expect_cpu_on({0, 0, 0, 0, 0, 0, 0}, "there is no NVIDIA driver: install one");
  expect_cpu_on({1, 12060, 8, 7, 0, 1, 0}, "the NVIDIA driver knows CUDA 12.6, needed is 13.0");
}

TEST(Missing, Device) {
  expect_cpu_on({0, 13000, 0, 0, 0, 0, 0}, "the NVIDIA driver sees no GPU");
  expect_cpu_on(WithGpu::kOrin, "there is no GPU number 3, only 1", 3);
}

TEST(Missing, CodeForTheDevice) {
  expect_cpu_on({1, 13000, 7, 2, 0, 0, 0}, "not compiled for this GPU (sm_72): build with");
}

TEST(Missing, RightCudnn) {
  expect_cpu_on({1, 13000, 8, 7, 0, 1, 8907}, "cuDNN is of version 8.9, needed is 9.x");
}

TEST(Missing, RightRuntime) {
  expect_cpu_on({1, 13000, 8, 7, 0, 1, 0, 12060},
                "the CUDA runtime is of version 12.6, needed is 13.x");
}

TEST(Missing, RightCublasLt) {
  expect_cpu_on({1, 13000, 8, 7, 0, 1, 0, 0, 120604},
                "cuBLASLt is of version 12.6, needed is 13.x: install package libcublas");
}

TEST(Missing, Nothing) {
  const WithGpu gpu;
  const std::vector<std::byte> bytes = file_of(model_samples()[0]);
  const Model model = Model::from_bytes(bytes);
  EXPECT_EQ(Session(model, {.device = DeviceKind::cuda, .strict_gpu = true}).device(),
            DeviceKind::cuda);
  EXPECT_EQ(Session(model).device(), DeviceKind::cuda) << "automatic";
  EXPECT_EQ(Session(model, {.device = DeviceKind::cpu}).device(), DeviceKind::cpu);
}

}  // namespace
}  // namespace skiff::test
