#include <gtest/gtest.h>

#include "tests/converters/tflite_builder.h"

// How constants are stored: halves, quantised, sparse, appended to the file.
namespace skiff::test {
namespace {

using tflite::Builtin;
using tflite::TensorType;
using Numbers = std::vector<double>;
using Ints = std::vector<std::int32_t>;

TEST(TfliteConstants, HalvesBecomeFloats) {
  TfliteBuilder model;
  const int half = model.constant<std::uint16_t>("half", {3}, {0x3c00, 0xc000, 0x3555}),
            y = model.tensor("y", {3});
  model.op(Builtin::DEQUANTIZE, {half}, {y});
  const Numbers numbers = computed(model, y);
  EXPECT_EQ(numbers[0], 1);
  EXPECT_EQ(numbers[1], -2);
  EXPECT_NEAR(numbers[2], 1.0 / 3, 1e-4);
}

TEST(TfliteConstants, QuantisedWeightsOfAFloatOperatorBecomeFloats) {
  TfliteBuilder model;
  const auto scales = model.scales({0.5F, 2}, {0, 10}, 0);
  const int x = model.constant<float>("x", {1, 2}, {1, 10}),
            w = model.constant<std::int8_t>("w", {2, 2}, {2, -4, 11, 12}, scales),
            y = model.tensor("y", {1, 2});
  model.op(Builtin::FULLY_CONNECTED, {x, w, -1}, {y});
  EXPECT_EQ(computed(model, y), (Numbers{1 - 20, 2 + 40}));
}

flatbuffers::Offset<tflite::Dimension> dense(flatbuffers::FlatBufferBuilder& fbb, int size) {
  return tflite::CreateDimension(fbb, tflite::DimensionFormat::dense, size);
}

flatbuffers::Offset<tflite::Dimension> sparse(flatbuffers::FlatBufferBuilder& fbb,
                                              const std::vector<std::uint8_t>& segments,
                                              const Ints& indices) {
  const auto marks = tflite::CreateUInt8Indices(fbb, fbb.CreateVector(segments)).Union();
  const auto places = tflite::CreateInt32Indices(fbb, fbb.CreateVector(indices)).Union();
  return tflite::CreateDimension(fbb, tflite::DimensionFormat::sparse, 0,
                                 tflite::Indices::UInt8Indices, marks,
                                 tflite::Indices::Int32Indices, places);
}

/// DENSIFY of a [rows, 4] constant whose columns are stored as given.
std::vector<double> densified(TfliteBuilder& model, const TfliteBuilder::Dims& shape,
                              const std::vector<float>& stored, const Ints& order,
                              const Ints& block_map,
                              const std::vector<flatbuffers::Offset<tflite::Dimension>>& levels) {
  auto& fbb = model.tables();
  const auto sparsity = tflite::CreateSparsity(
      fbb, fbb.CreateVector(order), fbb.CreateVector(block_map), fbb.CreateVector(levels));
  const int w = model.constant("w", shape, stored, 0, sparsity), y = model.tensor("y", shape);
  model.op(Builtin::DENSIFY, {w}, {y});
  return computed(model, y);
}

TEST(TfliteConstants, CompressedRowsAreExpanded) {
  TfliteBuilder model;
  auto& fbb = model.tables();
  const Numbers expected = {0, 5, 0, 7, 0, 0, 0, 0, 9, 0, 0, 0};
  EXPECT_EQ(densified(model, {3, 4}, {5, 7, 9}, {0, 1}, {},
                      {dense(fbb, 3), sparse(fbb, {0, 2, 2, 3}, {1, 3, 0})}),
            expected);
}

TEST(TfliteConstants, CompressedBlocksAreExpanded) {
  // Blocks of 2x2: block row 0 has block column 1, block row 1 has block column 0.
  TfliteBuilder model;
  auto& fbb = model.tables();
  const Numbers expected = {0, 0, 1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 7, 8, 0, 0};
  EXPECT_EQ(
      densified(model, {4, 4}, {1, 2, 3, 4, 5, 6, 7, 8}, {0, 1, 2, 3}, {0, 1},
                {dense(fbb, 2), sparse(fbb, {0, 1, 2}, {1, 0}), dense(fbb, 2), dense(fbb, 2)}),
      expected);
}

TEST(TfliteConstants, CompressedColumnsAreExpanded) {
  TfliteBuilder model;
  auto& fbb = model.tables();
  const Numbers expected = {0, 2, 1, 3};
  EXPECT_EQ(densified(model, {2, 2}, {1, 2, 3}, {1, 0}, {},
                      {dense(fbb, 2), sparse(fbb, {0, 1, 3}, {1, 0, 1})}),
            expected);
}

TEST(TfliteConstants, SparseIndicesAreChecked) {
  const std::vector<std::pair<std::vector<std::uint8_t>, Ints>> wrong = {
      {{0, 2, 2, 3}, {1, 4, 0}},   // beyond the axis
      {{0, 2, 2, 3}, {3, 1, 0}},   // falling
      {{0, 2, 2, 9}, {1, 3, 0}},   // beyond the indices
      {{0, 2, 2}, {1, 3, 0}},      // a row without a segment
      {{0, 1, 1, 2}, {1, 3}},      // fewer elements than stored
      {{0, 2, 2, 3}, {1, -1, 0}},  // negative
  };
  for (const auto& [segments, indices] : wrong) {
    TfliteBuilder model;
    auto& fbb = model.tables();
    EXPECT_THROW(densified(model, {3, 4}, {5, 7, 9}, {0, 1}, {},
                           {dense(fbb, 3), sparse(fbb, segments, indices)}),
                 Error);
  }
}

TEST(TfliteConstants, ASizeThatDoesNotFitTheShapeIsDamage) {
  TfliteBuilder model;
  const int x = model.constant<float>("x", {2, 2}, {1, 2, 3}), y = model.tensor("y", {2, 2});
  model.op(Builtin::NEG, {x}, {y});
  try {
    computed(model, y);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_model);
    EXPECT_NE(std::string(error.what()).find("'x'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace skiff::test
