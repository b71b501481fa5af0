#include <bit>

#include "runtime/ops/pointwise_chain_cuda.h"

// A chain as CUDA C++: the functions of the interpreter with everything known that it looks up.
namespace skiff::cuda {
namespace {

const char* type_of(DType dtype) noexcept {
  return dtype == DType::float16 ? "Half" : dtype == DType::bfloat16 ? "BFloat" : "float";
}

/// To the bit: infinities and NaNs are among them.
std::string number(float value) {
  return message("float_of_bits(", std::bit_cast<std::uint32_t>(value), "u)");
}

/// f(0), f(1) and so on, with commas between.
template <typename F>
std::string list(int count, F&& f) {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + f(i);
  return text;
}

std::string activation(int function, const PointwiseChain::Step& step) {
  const char* const name = fb::EnumNameUnaryFunction(static_cast<fb::UnaryFunction>(function));
  return message("{Unary::", name, ", ", number(step.alpha), ", ", number(step.beta), "}");
}

std::string step_value(const PointwiseChain::Step& step) {
  if (step.binary == 0)
    return message("apply(", activation(step.function, step), ", v", step.a, ")");
  const char* const name =
      fb::EnumNameBinaryFunction(static_cast<fb::BinaryFunction>(step.function));
  return message("apply_fused(", activation(step.activation, step), ", combine(Binary::", name,
                 ", v", step.a, ", v", step.b, "))");
}

/// One element of the result from one of every operand. Each step is rounded as if it had been
/// stored.
std::string compute_function(const ChainPlan& plan) {
  const PointwiseChain& chain = plan.chain;
  std::string text =
      message("__device__ inline Number compute(",
              list(chain.inputs, [](int i) { return message("Number x", i); }), ") {\n");
  for (int i = 0; i < chain.inputs; ++i)
    text += message("  const float v", i, " = to_float(x", i, ");\n");
  for (int n = 0; n < chain.count; ++n)
    text += message("  const float v", chain.inputs + n, " = stored(", step_value(chain.steps[n]),
                    ");\n");
  return text + message("  return from_float<Number>(v", chain.inputs + chain.count - 1, ");\n}\n");
}

/// Where operand n stands for element i, whose place along axis k is ik.
std::string place(const ChainPlan& plan, int n) {
  std::string text;
  for (int axis = 0; axis < plan.places.rank; ++axis)
    if (const int stride = plan.places.strides[n][axis]; stride != 0)
      text += message(text.empty() ? "" : " + ", "i", axis, " * ", stride, "u");
  return text.empty() ? "0u" : text;
}

/// Which element this thread begins with, and its place along every axis.
std::string begin_of_thread(const ChainPlan& plan, int pack) {
  std::string text = message("  const unsigned i = (blockIdx.x * blockDim.x + threadIdx.x) * ",
                             pack, "u;\n", "  if (i >= ", plan.count, "u) return;\n");
  unsigned inner = 1;
  for (int axis = plan.places.rank - 1; axis >= 0; --axis) {
    const auto extent = static_cast<unsigned>(plan.places.extents[axis]);
    text += message("  const unsigned i", axis, " = i / ", inner, "u % ", extent, "u;\n");
    inner *= extent;
  }
  return text;
}

std::string head_of(const char* kernel, int inputs) {
  return message("extern \"C\" __global__ void ", kernel, "(",
                 list(inputs, [](int i) { return message("const Number* x", i); }),
                 ", Number* y) {\n");
}

std::string plain_kernel(const ChainPlan& plan) {
  const int inputs = plan.chain.inputs;
  return head_of("chain", inputs) + begin_of_thread(plan, 1) + "  y[i] = compute(" +
         list(inputs, [&](int n) { return message("x", n, "[", place(plan, n), "]"); }) + ");\n}\n";
}

std::string packed_kernel(const ChainPlan& plan) {
  const int inputs = plan.chain.inputs, last = plan.places.rank - 1;
  std::string text = head_of("chain_by_4", inputs) + begin_of_thread(plan, kChainPack);
  const auto lies_dense = [&](int n) { return plan.places.strides[n][last] != 0; };
  for (int n = 0; n < inputs; ++n)
    text += message("  const ", lies_dense(n) ? "Pack" : "Number", " p", n, " = ",
                    lies_dense(n) ? "*reinterpret_cast<const Pack*>(x" : "*(x", n, " + ",
                    place(plan, n), ");\n");
  text += "  Pack result;\n";
  for (int k = 0; k < kChainPack; ++k)
    text += message("  result.of[", k, "] = compute(",
                    list(inputs,
                         [&](int n) {
                           return lies_dense(n) ? message("p", n, ".of[", k, "]") : message("p", n);
                         }),
                    ");\n");
  return text + "  *reinterpret_cast<Pack*>(y + i) = result;\n}\n";
}

}  // namespace

bool chain_takes_packs(const ChainPlan& plan) noexcept {
  // An operand that is no number for all along the last axis is dense there, row after row.
  return plan.places.extents[plan.places.rank - 1] % kChainPack == 0;
}

std::string chain_source(const ChainPlan& plan) {
  std::string text = message(
      "#include <skiff_device/stored.h>\n"
      "#include \"runtime/cuda/elementwise.cuh\"\n"
      "namespace skiff::cuda {\n"
      "using Unary = fb::UnaryFunction;\n"
      "using Binary = fb::BinaryFunction;\n"
      "using Number = ",
      type_of(plan.dtype),
      ";\n"
      "struct alignas(",
      kChainPack, " * sizeof(Number)) Pack { Number of[", kChainPack,
      "]; };\n"
      "__device__ inline float stored(float v) { return to_float(from_float<Number>(v)); }\n");
  text += compute_function(plan);
  text += chain_takes_packs(plan) ? packed_kernel(plan) : plain_kernel(plan);
  return text + "}  // namespace skiff::cuda\n";
}

}  // namespace skiff::cuda
