#include "tests/converters/onnx_samples.h"

#include "tests/converters/onnx_builder.h"

namespace skiff::test {

std::vector<std::byte> onnx_picture_model() {
  OnnxBuilder model(17);
  const std::vector<float> nine(18, 0.5f), two{1, 2};
  model.input("x", {1, 1, 6, 6}).floats("w", {2, 1, 3, 3}, nine).floats("b", {2}, two);
  model.floats("m", {8, 3}, std::vector<float>(24, 0.25f));
  model.node("Conv", {"x", "w", "b"}, {"c"}).attr("strides", {1, 1}).attr("pads", {1, 1, 1, 1});
  model.node("BatchNormalization", {"c", "b", "b", "b", "b"}, {"n"}).attr("epsilon", 0.01f);
  model.node("Relu", {"n"}, {"r"});
  model.node("MaxPool", {"r"}, {"p"}).attr("kernel_shape", {3, 3}).attr("strides", {3, 3});
  model.node("Flatten", {"p"}, {"f"}).node("Gemm", {"f", "m"}, {"g"}).attr("alpha", 0.5f);
  model.node("Softmax", {"g"}, {"y"}).attr("axis", std::int64_t{-1}).output("y");
  return model.bytes();
}

std::vector<std::byte> onnx_program_model() {
  OnnxBuilder then_branch, else_branch, body, model(17);
  then_branch.node("Neg", {"q"}, {"t"}).output("t");
  else_branch.node("Abs", {"q"}, {"e"}).output("e");
  body.input("i", {}, 7).input("go", {}, 9).input("v", {2, 2});
  body.node("Identity", {"go"}, {"again"}).node("Mul", {"v", "v"}, {"u"});
  body.output("again").output("u");
  model.input("x", {2, 4}).integers("one", {1}).integers("two", {2}).integers("zero", {0});
  model.node("Shape", {"x"}, {"s"}).node("Slice", {"s", "zero", "one"}, {"n"});
  model.node("Concat", {"n", "two", "two"}, {"to"}).attr("axis", std::int64_t{0});
  model.node("Reshape", {"x", "to"}, {"r"}).node("ReduceMean", {"r"}, {"q"});
  model.attr("axes", {0}).attr("keepdims", std::int64_t{0});
  model.node("Cast", {"one"}, {"c"}).attr("to", std::int64_t{9});
  model.node("If", {"c"}, {"z"}).attr("then_branch", then_branch.graph());
  model.attr("else_branch", else_branch.graph());
  model.node("Loop", {"two", "", "z"}, {"y"}).attr("body", body.graph()).output("y");
  model.input("choice", {}, 9).integers("many", {300});
  model.node("If", {"choice"}, {"p"}).attr("then_branch", then_branch.graph());
  model.attr("else_branch", else_branch.graph()).output("p");
  model.node("Loop", {"many", "choice", "p"}, {"o"}).attr("body", body.graph()).output("o");
  return model.bytes();
}

}  // namespace skiff::test
