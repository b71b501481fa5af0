#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <limits>

#include "tests/runtime/hostile_support.h"
#include "tests/support/model_samples.h"
#include "tests/support/skiff_file.h"

// Well-formed metadata with hostile numbers: every number the file stores, attributes and shapes
// and indices alike, at values nobody would write.
namespace skiff::test {
namespace {

void put(std::span<std::byte> file, const NumberField& field, const void* number) {
  std::memcpy(file.data() + field.offset, number, field.bytes);
}

template <typename T>
void try_reals(std::vector<std::byte>& file, const NumberField& field, Outcomes& outcomes) {
  using Limits = std::numeric_limits<T>;
  for (const T number : {T{0}, T{-1}, Limits::max(), -Limits::infinity(), Limits::quiet_NaN()}) {
    put(file, field, &number);
    seal(file);
    try_file(file, outcomes);
  }
}

/// The low bytes of 64-bit numbers serve integers of every width.
void try_integers(std::vector<std::byte>& file, const NumberField& field, Outcomes& outcomes) {
  constexpr std::int64_t k64 = std::numeric_limits<std::int64_t>::max();
  const int bits = static_cast<int>(8 * field.bytes);
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{64},
        std::int64_t{1} << 20, std::int64_t{1} << 31, std::int64_t{1} << 40, std::int64_t{-1},
        std::int64_t{-2}, k64 >> (64 - bits), -(k64 >> (64 - bits)) - 1, k64 / 2, k64 - 1}) {
    put(file, field, &number);
    seal(file);
    try_file(file, outcomes);
  }
}

class HostileFields : public ::testing::TestWithParam<ModelSample> {};

TEST_P(HostileFields, EveryNumberAtItsLimits) {
  const std::vector<std::byte> whole = with_metadata(
      file_of(GetParam()), [](fb::ModelT&) {}, true);
  std::vector<std::byte> file = whole;
  Outcomes outcomes;
  try_file(file, outcomes);
  ASSERT_EQ(outcomes.ran, 1u) << outcomes.text();
  const std::vector<NumberField> fields = numbers_of(file);
  for (const NumberField& field : fields) {
    SCOPED_TRACE(field.name);
    if (field.real && field.bytes == 4) try_reals<float>(file, field, outcomes);
    if (field.real && field.bytes == 8) try_reals<double>(file, field, outcomes);
    if (!field.real) try_integers(file, field, outcomes);
    file = whole;
  }
  std::cout << GetParam().name << ": " << fields.size() << " numbers, " << outcomes.count()
            << " files: " << outcomes.text() << "\n";
  EXPECT_GT(fields.size(), 100u);
  EXPECT_LT(outcomes.slowest_s, 10);
}

INSTANTIATE_TEST_SUITE_P(Models, HostileFields, ::testing::ValuesIn(model_samples()),
                         [](const auto& test) { return test.param.name; });

ErrorCode code_of(const std::function<void(fb::ModelT&)>& change, std::size_t sample = 1) {
  const std::vector<std::byte> file = with_metadata(file_of(model_samples()[sample]), change);
  Outcomes outcomes;
  try_file(file, outcomes);
  return outcomes.ran > 0 ? ErrorCode::ok : outcomes.refused.begin()->first;
}

TEST(HostileGraph, ChangesThatMatterAreRefused) {
  constexpr auto bad = ErrorCode::invalid_model;
  EXPECT_EQ(code_of([](fb::ModelT&) {}), ErrorCode::ok);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.graphs.clear(); }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.graphs[0]->outputs.clear(); }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.graphs[0]->inputs.clear(); }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.buffers.pop_back(); }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.graphs[0]->nodes[0]->attrs.Reset(); }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.graphs[0]->nodes[0]->version = 9; }),
            ErrorCode::unsupported);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.required_features = {"time-travel"}; }),
            ErrorCode::unsupported);
}

TEST(HostileGraph, CyclesAndOrder) {
  constexpr auto bad = ErrorCode::invalid_model;
  EXPECT_EQ(code_of([](fb::ModelT& m) {  // a node reads what it writes
              fb::NodeT& node = *m.graphs[0]->nodes[0];
              node.inputs[0] = node.outputs[0];
            }),
            bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) {
              std::swap(m.graphs[0]->nodes.front(), m.graphs[0]->nodes.back());
            }),
            bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.graphs[0]->nodes.erase(m.graphs[0]->nodes.begin()); }),
            bad);
}

TEST(HostileGraph, DuplicateDefinitions) {
  constexpr auto bad = ErrorCode::invalid_model;
  EXPECT_EQ(code_of([](fb::ModelT& m) {
              m.graphs[0]->nodes[1]->outputs = m.graphs[0]->nodes[0]->outputs;
            }),
            bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) {  // a node writes a constant
              const auto& values = m.graphs[0]->values;
              for (std::size_t i = 0; i < values.size(); ++i)
                if (values[i]->buffer >= 0)
                  m.graphs[0]->nodes[0]->outputs[0] = static_cast<std::int32_t>(i);
            }),
            bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.graphs[0]->inputs.push_back(m.graphs[0]->inputs[0]); }),
            bad);
}

TEST(HostileGraph, BuffersThatOverlapOrLieOutside) {
  constexpr auto bad = ErrorCode::invalid_model;
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.buffers[1]->offset = m.buffers[0]->offset; }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.buffers[0]->offset += 1; }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.buffers[0]->size -= 1; }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.buffers.back()->offset += 1 << 20; }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.buffers.back()->size = ~std::uint64_t{0}; }), bad);
  EXPECT_EQ(code_of([](fb::ModelT& m) { m.buffers[0]->sha256.pop_back(); }), bad);
}

/// The first vector of extents begins 4 bytes later, so that its 8-byte elements lie askew.
TEST(HostileGraph, MisalignedNumbersAreRefused) {
  std::vector<std::byte> file = file_of(model_samples()[0]);
  std::size_t length_at = 0;
  for (const NumberField& field : numbers_of(file))
    if (field.name == "dims" && length_at == 0) length_at = field.offset - 4;
  ASSERT_NE(length_at, 0u);
  std::size_t changed = 0;
  for (std::size_t at = 128; at < length_at; at += 4) {
    std::uint32_t distance = 0;
    std::memcpy(&distance, file.data() + at, sizeof distance);
    if (at + distance != length_at) continue;
    distance += 4;
    std::memcpy(file.data() + at, &distance, sizeof distance);
    ++changed;
  }
  ASSERT_EQ(changed, 1u);
  seal(file);
  try {
    Model::from_bytes(file);
    FAIL() << "a misaligned vector was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_model);
    EXPECT_NE(std::string(error.what()).find("not aligned"), std::string::npos) << error.what();
  }
}

/// Counts what is asked of it and remembers the largest request.
struct Watch {
  std::size_t largest = 0;
  static void* allocate(void* context, std::size_t bytes, std::size_t alignment) {
    auto& watch = *static_cast<Watch*>(context);
    watch.largest = std::max(watch.largest, bytes);
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  }
  static void release(void*, void* memory, std::size_t) { std::free(memory); }
};

/// x [1, 2] -> expand to [2, 2].
ir::Graph small_graph() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::float32, {1, 2});
  fb::ShapeAttrsT to;
  to.shape = {2, 2};
  graph.outputs = {graph.add(fb::OpKind::expand, to, {x}, "grow")};
  return graph;
}

TEST(HostileBudget, IsRefusedBeforeAnythingLargeIsAllocated) {
  const std::vector<std::byte> file = with_metadata(file_of({"grow", small_graph}), [](auto& m) {
    const std::vector<std::int64_t> shape = {std::int64_t{1} << 27, 2};  // 1 GiB
    m.golden.clear();
    m.graphs[0]->values[1]->dims = shape;  // of a few bytes of file
    m.graphs[0]->nodes[0]->attrs.AsShapeAttrs()->shape = shape;
  });
  Watch watch;
  const Allocator allocator{
      .allocate = Watch::allocate, .release = Watch::release, .context = &watch};
  const Model model = Model::from_bytes(file, {.allocator = allocator});
  try {
    Session session(model, {.memory_limit = 64 << 20, .allocator = allocator});
    FAIL() << "a session of 1 GiB was made within 64 MiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::budget_exceeded) << error.what();
  }
  EXPECT_LT(watch.largest, std::size_t{1} << 20);
}

TEST(HostileBudget, LimitsOfEverySizeAreTyped) {
  for (const ModelSample& sample : model_samples()) {
    const std::vector<std::byte> file = file_of(sample);
    const std::uint64_t needed = Session::predict(Model::from_bytes(file)).total;
    for (std::uint64_t limit = 1; limit < needed; limit += 1 + needed / 100) try {
        const Model model = Model::from_bytes(file, {.memory_limit = limit});
        Session session(model);
        ADD_FAILURE() << sample.name << " of " << needed << " bytes was made within " << limit;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::budget_exceeded) << error.what();
      }
  }
}

}  // namespace
}  // namespace skiff::test
