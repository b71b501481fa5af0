#include "tests/runtime/c_program.h"

#include <gtest/gtest.h>
#include <skiff/skiff.h>
#include <skiff/skiff_c.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "converters/writer.h"
#include "tests/support/folders.h"
#include "tests/support/model_samples.h"

// The C API, used by programs in C; that nothing of the C++ API is missing there.
namespace skiff::test {
namespace {

using Op = fb::OpKind;

const std::vector<std::byte>& sample(std::string_view name) {
  static std::map<std::string_view, std::vector<std::byte>> files;
  auto& bytes = files[name];
  for (const ModelSample& one : model_samples())
    if (bytes.empty() && one.name == name) bytes = file_of(one);
  return bytes;
}

file_bytes view(const std::vector<std::byte>& bytes) { return {bytes.data(), bytes.size()}; }
file_bytes picture() { return view(sample("picture")); }
file_bytes sizes() { return view(sample("sizes")); }

void hand_on(ir::Graph& graph, const char* name, const Shape& shape, DType dtype = DType::float32) {
  const ir::ValueId x = graph.add_input(name, dtype, shape);
  graph.outputs.push_back(graph.add(Op::identity, {}, {x}, std::string(name) + "_out"));
}

fb::PreprocessT picture_axes() {
  fb::PreprocessT picture;
  picture.height_axis = 1;
  picture.width_axis = 2;
  picture.channel_axis = 3;
  return picture;
}

std::vector<std::byte> boxes() {
  ir::Graph graph;
  hand_on(graph, "image", {1, 2, 2, 3}, DType::uint8);
  hand_on(graph, "boxes", {1, 3, 4});
  hand_on(graph, "scores", {1, 3, 2});
  auto& quantization = graph.value(graph.inputs[0]).quantization.emplace();
  quantization.scale = {1.0f / 255};
  quantization.zero_point = {0};
  convert::Manifest manifest;
  manifest.preprocess = {picture_axes()};
  manifest.preprocess[0].fit = fb::FitMode::letterbox;
  manifest.postprocess.emplace();
  manifest.postprocess->kind = fb::PostprocessKind::detect_corners;
  manifest.postprocess->boxes = 1;
  manifest.postprocess->scores = 2;
  return convert::write_model(graph, manifest);
}

std::vector<std::byte> mask() {
  ir::Graph graph;
  hand_on(graph, "image", {1, 2, 2, 3});
  convert::Manifest manifest;
  manifest.preprocess = {picture_axes()};
  manifest.postprocess.emplace();
  manifest.postprocess->kind = fb::PostprocessKind::segment;
  return convert::write_model(graph, manifest);
}

std::string in_source(const char* path) {
  const auto whole = std::filesystem::path(source_folder()) / path;
  std::ostringstream text;
  text << std::ifstream(whole).rdbuf();
  return text.str();
}

TEST(CProgram, DescribesModels) {
  const std::string path = std::string(source_folder()) + "/tests/format/corpus/1.0-picture.skiff";
  EXPECT_STREQ(c_describes_models(path.c_str(), picture()), nullptr);
}
TEST(CProgram, DescribesSizes) { EXPECT_STREQ(c_describes_sizes(sizes()), nullptr); }
TEST(CProgram, ResizesAndKeepsStates) {
  EXPECT_STREQ(c_resizes_and_keeps_states(sizes()), nullptr);
}
TEST(CProgram, WatchesSteps) { EXPECT_STREQ(c_watches_steps(picture()), nullptr); }
TEST(CProgram, GivesMemory) { EXPECT_STREQ(c_gives_memory(picture()), nullptr); }
TEST(CProgram, SetsOptions) { EXPECT_STREQ(c_sets_options(picture()), nullptr); }
TEST(CProgram, SpeaksOtherVersions) { EXPECT_STREQ(c_speaks_other_versions(picture()), nullptr); }
TEST(CProgram, Classifies) { EXPECT_STREQ(c_classifies(picture()), nullptr); }
TEST(CProgram, Detects) { EXPECT_STREQ(c_detects(view(boxes())), nullptr); }
TEST(CProgram, Segments) { EXPECT_STREQ(c_segments(view(mask())), nullptr); }
TEST(CProgram, GivesNothing) { EXPECT_STREQ(c_gives_nothing(picture()), nullptr); }

TEST(CProgram, UsesEveryFunction) {
  const std::string header = in_source("runtime/include/skiff/skiff_c.h");
  const std::string program = in_source("tests/runtime/c_program.c");
  const std::regex function("\\b(skiff_[a-z_]+)\\(");
  std::set<std::string> names;
  std::istringstream lines(header);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    const bool declares = line.starts_with("SKIFF_C_API") || line.starts_with("static inline");
    if (!declares) continue;
    ASSERT_TRUE(std::regex_search(line, match, function)) << line;
    names.insert(match[1]);
  }
  EXPECT_GT(names.size(), 40u);
  for (const std::string& name : names)
    EXPECT_NE(program.find(name + "("), std::string::npos) << name << " is not used";
}

// A class's enumerators have the same numbers in C. The switches name each of them: one more in C++
// does not compile before it stands here.
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wswitch"
#define SKIFF_TWIN(cpp, c) \
  case cpp:                \
    return c;

int twin(ErrorCode code) {
  switch (code) {
    SKIFF_TWIN(ErrorCode::ok, SKIFF_OK)
    SKIFF_TWIN(ErrorCode::invalid_argument, SKIFF_ERROR_INVALID_ARGUMENT)
    SKIFF_TWIN(ErrorCode::not_found, SKIFF_ERROR_NOT_FOUND)
    SKIFF_TWIN(ErrorCode::io, SKIFF_ERROR_IO)
    SKIFF_TWIN(ErrorCode::invalid_model, SKIFF_ERROR_INVALID_MODEL)
    SKIFF_TWIN(ErrorCode::unsupported, SKIFF_ERROR_UNSUPPORTED)
    SKIFF_TWIN(ErrorCode::budget_exceeded, SKIFF_ERROR_BUDGET_EXCEEDED)
    SKIFF_TWIN(ErrorCode::out_of_memory, SKIFF_ERROR_OUT_OF_MEMORY)
    SKIFF_TWIN(ErrorCode::device, SKIFF_ERROR_DEVICE)
    SKIFF_TWIN(ErrorCode::bad_value, SKIFF_ERROR_BAD_VALUE)
    SKIFF_TWIN(ErrorCode::internal, SKIFF_ERROR_INTERNAL)
  }
  return -1;
}
int twin(DType dtype) {
  switch (dtype) {
    SKIFF_TWIN(DType::none, SKIFF_DTYPE_NONE)
    SKIFF_TWIN(DType::float32, SKIFF_DTYPE_FLOAT32)
    SKIFF_TWIN(DType::float16, SKIFF_DTYPE_FLOAT16)
    SKIFF_TWIN(DType::bfloat16, SKIFF_DTYPE_BFLOAT16)
    SKIFF_TWIN(DType::float64, SKIFF_DTYPE_FLOAT64)
    SKIFF_TWIN(DType::int8, SKIFF_DTYPE_INT8)
    SKIFF_TWIN(DType::uint8, SKIFF_DTYPE_UINT8)
    SKIFF_TWIN(DType::int16, SKIFF_DTYPE_INT16)
    SKIFF_TWIN(DType::uint16, SKIFF_DTYPE_UINT16)
    SKIFF_TWIN(DType::int32, SKIFF_DTYPE_INT32)
    SKIFF_TWIN(DType::uint32, SKIFF_DTYPE_UINT32)
    SKIFF_TWIN(DType::int64, SKIFF_DTYPE_INT64)
    SKIFF_TWIN(DType::uint64, SKIFF_DTYPE_UINT64)
    SKIFF_TWIN(DType::boolean, SKIFF_DTYPE_BOOLEAN)
  }
  return -1;
}
int twin(DeviceKind kind) {
  switch (kind) {
    SKIFF_TWIN(DeviceKind::automatic, SKIFF_DEVICE_AUTOMATIC)
    SKIFF_TWIN(DeviceKind::cpu, SKIFF_DEVICE_CPU)
    SKIFF_TWIN(DeviceKind::cuda, SKIFF_DEVICE_CUDA)
  }
  return -1;
}
int twin(Tuning tuning) {
  switch (tuning) {
    SKIFF_TWIN(Tuning::off, SKIFF_TUNING_OFF)
    SKIFF_TWIN(Tuning::fast, SKIFF_TUNING_FAST)
    SKIFF_TWIN(Tuning::full, SKIFF_TUNING_FULL)
  }
  return -1;
}
int twin(Fuse fuse) {
  switch (fuse) {
    SKIFF_TWIN(Fuse::automatic, SKIFF_FUSE_AUTOMATIC)
    SKIFF_TWIN(Fuse::off, SKIFF_FUSE_OFF)
    SKIFF_TWIN(Fuse::on, SKIFF_FUSE_ON)
  }
  return -1;
}
int twin(LogLevel level) {
  switch (level) {
    SKIFF_TWIN(LogLevel::error, SKIFF_LOG_ERROR)
    SKIFF_TWIN(LogLevel::warning, SKIFF_LOG_WARNING)
    SKIFF_TWIN(LogLevel::info, SKIFF_LOG_INFO)
    SKIFF_TWIN(LogLevel::debug, SKIFF_LOG_DEBUG)
  }
  return -1;
}
int twin(ColorOrder order) {
  switch (order) {
    SKIFF_TWIN(ColorOrder::rgb, SKIFF_COLOR_RGB)
    SKIFF_TWIN(ColorOrder::bgr, SKIFF_COLOR_BGR)
    SKIFF_TWIN(ColorOrder::gray, SKIFF_COLOR_GRAY)
  }
  return -1;
}
int twin(FitMode fit) {
  switch (fit) {
    SKIFF_TWIN(FitMode::stretch, SKIFF_FIT_STRETCH)
    SKIFF_TWIN(FitMode::letterbox, SKIFF_FIT_LETTERBOX)
    SKIFF_TWIN(FitMode::center_crop, SKIFF_FIT_CENTER_CROP)
  }
  return -1;
}
int twin(PostprocessKind kind) {
  switch (kind) {
    SKIFF_TWIN(PostprocessKind::none, SKIFF_POSTPROCESS_NONE)
    SKIFF_TWIN(PostprocessKind::classify, SKIFF_POSTPROCESS_CLASSIFY)
    SKIFF_TWIN(PostprocessKind::detect_anchors, SKIFF_POSTPROCESS_DETECT_ANCHORS)
    SKIFF_TWIN(PostprocessKind::detect_corners, SKIFF_POSTPROCESS_DETECT_CORNERS)
    SKIFF_TWIN(PostprocessKind::detect_grid, SKIFF_POSTPROCESS_DETECT_GRID)
    SKIFF_TWIN(PostprocessKind::segment, SKIFF_POSTPROCESS_SEGMENT)
  }
  return -1;
}
#undef SKIFF_TWIN
#pragma GCC diagnostic pop

template <typename E>
void expect_same_numbers(int count) {
  for (int number = 0; number < count; ++number)
    EXPECT_EQ(twin(static_cast<E>(number)), number) << number;
}

TEST(CProgram, EnumeratorsHaveTheirTwins) {
  expect_same_numbers<ErrorCode>(11);
  expect_same_numbers<DType>(kDTypeCount);
  expect_same_numbers<DeviceKind>(3);
  expect_same_numbers<Tuning>(3);
  expect_same_numbers<Fuse>(3);
  expect_same_numbers<LogLevel>(4);
  expect_same_numbers<ColorOrder>(3);
  expect_same_numbers<FitMode>(3);
  expect_same_numbers<PostprocessKind>(6);
  for (int number = -1; number < 300; ++number)
    EXPECT_EQ(skiff_dtype_size(number),
              number < 0 || number >= kDTypeCount ? 0 : size_of(static_cast<DType>(number)));
  for (int number = 0; number < 11; ++number)
    EXPECT_STREQ(skiff_error_name(number), name_of(static_cast<ErrorCode>(number)));
}

// Programs that were compiled with an earlier header rely on these: fields are added at the end.
// A new field of a C++ struct does not compile in runtime/c_structs.cpp before it has a twin.
TEST(CProgram, StructsKeepTheirLayout) {
  static_assert(sizeof(void*) != 8 || (offsetof(skiff_session_options, stream) == 32 &&
                                       offsetof(skiff_session_options, allocator) == 64 &&
                                       offsetof(skiff_session_options, progress) == 136 &&
                                       sizeof(skiff_session_options) == 152));
  static_assert(sizeof(void*) != 8 || sizeof(skiff_load_options) == 40);
  static_assert(sizeof(void*) != 8 || sizeof(skiff_tensor) == 104);
  static_assert(sizeof(void*) != 8 || sizeof(skiff_input_shape) == 80);
  static_assert(sizeof(skiff_detection) == sizeof(Detection) &&
                offsetof(skiff_detection, label) == offsetof(Detection, label) &&
                offsetof(skiff_detection, score) == offsetof(Detection, score) &&
                offsetof(skiff_detection, x1) == offsetof(Detection, x1) &&
                offsetof(skiff_detection, y2) == offsetof(Detection, y2));
  static_assert(sizeof(skiff_classification) == sizeof(Classification) &&
                offsetof(skiff_classification, index) == offsetof(Classification, index) &&
                offsetof(skiff_classification, score) == offsetof(Classification, score));
  static_assert(sizeof(skiff_placement) == sizeof(Placement) &&
                offsetof(skiff_placement, scale_y) == offsetof(Placement, scale_y) &&
                offsetof(skiff_placement, offset_x) == offsetof(Placement, offset_x) &&
                offsetof(skiff_placement, offset_y) == offsetof(Placement, offset_y));
}

}  // namespace
}  // namespace skiff::test
