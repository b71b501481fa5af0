#include <gtest/gtest.h>

#include "tests/converters/onnx_builder.h"
#include "tests/converters/onnx_samples.h"
#include "tests/converters/whole_conversion.h"
#include "tests/support/thorough.h"

// Damaged and hostile bytes: a model or a typed error, for every truncation and every eighth bit.
// What can be imported goes the whole way to a loaded file; by default a sample of it, all of it
// when SKIFF_LONG is set.
namespace skiff::test {
namespace {

bool imports(std::span<const std::byte> bytes) {
  static std::size_t imported = 0;
  const std::size_t stride = thorough() ? 1 : 7;
  try {
    convert::Imported model = convert::import_onnx_bytes(bytes, "", {});
    if (imported++ % stride == 0) convert_imported(std::move(model.graph));
    return true;
  } catch (const Error& error) {  // anything else escapes and fails the test
    EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
    EXPECT_STRNE(error.what(), "");
    return false;
  }
}

class OnnxHostile : public ::testing::TestWithParam<std::vector<std::byte> (*)()> {};

TEST_P(OnnxHostile, EveryTruncation) {
  const std::vector<std::byte> bytes = GetParam()();
  EXPECT_TRUE(imports(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) imports(std::span(bytes).first(size));
}

TEST_P(OnnxHostile, EveryEighthBit) {
  std::vector<std::byte> bytes = GetParam()();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto mask = std::byte{1} << (i % 8);
    bytes[i] ^= mask;
    imports(bytes);
    bytes[i] ^= mask;
  }
}

TEST_P(OnnxHostile, EveryByteAtItsLimits) {
  std::vector<std::byte> bytes = GetParam()();
  for (std::byte& byte : bytes)
    for (const std::byte value :
         {std::byte{0}, std::byte{0x7f}, std::byte{0x80}, std::byte{0xff}}) {
      const std::byte before = std::exchange(byte, value);
      imports(bytes);
      byte = before;
    }
}

INSTANTIATE_TEST_SUITE_P(Models, OnnxHostile,
                         ::testing::Values(onnx_picture_model, onnx_program_model));

TEST(OnnxHostileModels, ConstantsBeyondTheBudgetAreNotMade) {
  OnnxBuilder model;
  model.integers("s", {1 << 15, 1 << 15, 8}).node("ConstantOfShape", {"s"}, {"c"});
  model.node("Cast", {"c"}, {"i"}).attr("to", std::int64_t{7});
  model.node("Reshape", {"c", "i"}, {"y"}).output("y");
  EXPECT_NE(error_of(model), "");
}

TEST(OnnxHostileModels, GraphsMayNotNestWithoutEnd) {
  onnx::GraphProto inner;
  inner.add_output()->set_name("q");
  for (int depth = 0; depth < 40; ++depth) {
    OnnxBuilder branch;
    branch.node("If", {"c"}, {"q"}).attr("then_branch", inner).attr("else_branch", inner);
    if (depth > 4) branch.graph().mutable_node(0)->mutable_attribute()->RemoveLast();
    inner = branch.graph();
    inner.add_output()->set_name("q");
  }
  OnnxBuilder model;
  model.input("c", {}, 9).node("If", {"c"}, {"y"}).attr("then_branch", inner).output("y");
  const std::vector<std::byte> yes{std::byte{1}};
  EXPECT_NE(error_of(model, {.bind = {{"c", yes}}}), "");
}

TEST(OnnxHostileModels, FunctionsThatDoubleAreBounded) {
  OnnxBuilder model;
  model.input("x", {1}).node("f0", {"x"}, {"y"}).output("y");
  model.graph().mutable_node(0)->set_domain("d");
  const auto name_of = [](int i) { return std::string("f").append(std::to_string(i)); };
  for (int i = 0; i < 30; ++i) {
    onnx::FunctionProto& function = *model.model.add_functions();
    function.set_name(name_of(i));
    function.set_domain("d");
    function.add_input("a");
    function.add_output("c");
    for (const auto& [from, to] : {std::pair("a", "b"), std::pair("b", "c")}) {
      onnx::NodeProto& call = *function.add_node();
      call.set_op_type(i == 29 ? "Neg" : name_of(i + 1));
      if (i < 29) call.set_domain("d");
      call.add_input(from);
      call.add_output(to);
    }
    function.add_opset_import()->set_version(17);
  }
  EXPECT_NE(error_of(model), "");
}

TEST(OnnxHostileModels, NodesOutOfOrderAreNamed) {
  OnnxBuilder model;
  model.input("x", {1}).node("Neg", {"a"}, {"y"}).node("Neg", {"x"}, {"a"}).output("y");
  EXPECT_NE(refusals_of(model).at(0).reason.find("'a'"), std::string::npos);
}

}  // namespace
}  // namespace skiff::test
