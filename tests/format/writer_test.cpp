#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include "converters/writer.h"
#include "tests/support/model_samples.h"

namespace skiff::test {
namespace {

convert::Manifest named(const char* name) {
  convert::Manifest manifest;
  manifest.name = name;
  return manifest;
}

class Writer : public ::testing::TestWithParam<ModelSample> {};

TEST_P(Writer, SameGraphSameBytes) {
  const ir::Graph graph = GetParam().graph();
  const auto first = convert::write_model(graph, named("m"));
  EXPECT_EQ(first, convert::write_model(graph, named("m")));
  EXPECT_EQ(first, convert::write_model(GetParam().graph(), named("m")));
  EXPECT_NE(first, convert::write_model(graph, named("n")));
  EXPECT_EQ(file_of(GetParam()), file_of(GetParam())) << "golden data differ";
}

/// Names of inner values and nodes change nothing but the file's size.
TEST_P(Writer, NamesCanBeStripped) {
  convert::Manifest manifest = named("m");
  const auto full = convert::write_model(GetParam().graph(), manifest);
  manifest.strip_names = true;
  const auto bare = convert::write_model(GetParam().graph(), manifest);
  EXPECT_NE(full, bare);
  const Model a = Model::from_bytes(full), b = Model::from_bytes(bare);
  ASSERT_EQ(a.output_count(), b.output_count());
  for (std::size_t i = 0; i < a.output_count(); ++i) {
    EXPECT_EQ(a.output(i).name, b.output(i).name);
    EXPECT_EQ(a.output(i).shape, b.output(i).shape);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Writer, ::testing::ValuesIn(model_samples()),
                         [](const auto& test) { return test.param.name; });

/// Two constants of the same bytes share one buffer.
TEST(WriterConstants, EqualOnesAreStoredOnce) {
  const auto size_with = [](float second) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::float32, {4096});
    const std::vector<float> a(4096, 1.0f), b(4096, second);
    const auto left = graph.add_constant<float>("a", {4096}, a);
    const auto right = graph.add_constant<float>("b", {4096}, b);
    const auto sum = graph.add(fb::OpKind::binary, fb::BinaryAttrsT(), {x, left}, "first");
    graph.outputs = {graph.add(fb::OpKind::binary, fb::BinaryAttrsT(), {sum, right}, "second")};
    return convert::write_model(graph, named("m")).size();
  };
  EXPECT_EQ(size_with(2.0f) - size_with(1.0f), 4096 * sizeof(float));
}

}  // namespace
}  // namespace skiff::test
