#include <bit>

#include "runtime/ops/pointwise_chain_cuda.h"

// A chain as CUDA C++: the functions of the interpreter with everything known that it looks up.
namespace skiff::cuda {
namespace {

const char* type_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::float16:
      return "Half";
    case DType::bfloat16:
      return "BFloat";
    case DType::int8:
      return "signed char";
    case DType::uint8:
      return "unsigned char";
    default:
      return "float";
  }
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

std::string zero_of(const PointwiseChain::Scale& integers) {
  return integers.zero == 0 ? "0" : message("x", integers.zero);
}

std::string operand_value(const PointwiseChain& chain, int i) {
  const PointwiseChain::Scale& integers = chain.stored[i];
  if (integers.scale == 0) return message("to_float(x", i, ")");
  return message("dequantize(x", i, " - ", zero_of(integers), ", x", integers.scale, ")");
}

std::string result_value(const PointwiseChain& chain) {
  const std::string last = message("v", chain.inputs + chain.count - 1);
  if (chain.result.scale == 0) return message("from_float<Result>(", last, ")");
  return message("quantize<Result>(", last, ", x", chain.result.scale, ", ", zero_of(chain.result),
                 ")");
}

/// One element of the result from one of every input. Each step is rounded as if it had been
/// stored.
std::string compute_function(const ChainPlan& plan) {
  const PointwiseChain& chain = plan.chain;
  std::string text = message(
      "__device__ inline Result compute(",
      list(plan.inputs, [&](int i) { return message(type_of(plan.stored[i]), " x", i); }), ") {\n");
  for (int i = 0; i < chain.inputs; ++i)
    text += message("  const float v", i, " = ", operand_value(chain, i), ";\n");
  for (int n = 0; n < chain.count; ++n)
    text += message("  const float v", chain.inputs + n, " = stored(", step_value(chain.steps[n]),
                    ");\n");
  return text + message("  return ", result_value(chain), ";\n}\n");
}

/// The stride of input n along an axis; scales and zero points are one number each.
int stride_of(const ChainPlan& plan, int n, int axis) {
  return n < plan.chain.inputs ? plan.places.strides[n][axis] : 0;
}

/// Where input n stands for element i, whose place along axis k is ik.
std::string place(const ChainPlan& plan, int n) {
  std::string text;
  for (int axis = 0; axis < plan.places.rank; ++axis)
    if (const int stride = stride_of(plan, n, axis); stride != 0)
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

std::string head_of(const char* kernel, const ChainPlan& plan) {
  return message("extern \"C\" __global__ void ", kernel, "(",
                 list(plan.inputs,
                      [&](int i) { return message("const ", type_of(plan.stored[i]), "* x", i); }),
                 ", Result* y) {\n");
}

std::string plain_kernel(const ChainPlan& plan) {
  return head_of("chain", plan) + begin_of_thread(plan, 1) + "  y[i] = compute(" +
         list(plan.inputs, [&](int n) { return message("x", n, "[", place(plan, n), "]"); }) +
         ");\n}\n";
}

std::string packed_kernel(const ChainPlan& plan) {
  const int last = plan.places.rank - 1;
  std::string text = head_of("chain_by_4", plan) + begin_of_thread(plan, kChainPack);
  const auto lies_dense = [&](int n) { return stride_of(plan, n, last) != 0; };
  for (int n = 0; n < plan.inputs; ++n) {
    const std::string number = type_of(plan.stored[n]);
    const std::string type = lies_dense(n) ? message("Pack<", number, ">") : number;
    text += message("  const ", type, " p", n, " = *reinterpret_cast<const ", type, "*>(x", n,
                    " + ", place(plan, n), ");\n");
  }
  text += "  Pack<Result> result;\n";
  for (int k = 0; k < kChainPack; ++k)
    text += message("  result.of[", k, "] = compute(",
                    list(plan.inputs,
                         [&](int n) {
                           return lies_dense(n) ? message("p", n, ".of[", k, "]") : message("p", n);
                         }),
                    ");\n");
  return text + "  *reinterpret_cast<Pack<Result>*>(y + i) = result;\n}\n";
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
      "#include \"runtime/cuda/quantized.cuh\"\n"
      "namespace skiff::cuda {\n"
      "using Unary = fb::UnaryFunction;\n"
      "using Binary = fb::BinaryFunction;\n"
      "using Number = ",
      type_of(plan.dtype),
      ";\n"
      "using Result = ",
      type_of(plan.result),
      ";\n"
      "template <typename T> struct alignas(",
      kChainPack, " * sizeof(T)) Pack { T of[", kChainPack,
      "]; };\n"
      "__device__ inline float stored(float v) { return to_float(from_float<Number>(v)); }\n");
  text += compute_function(plan);
  text += chain_takes_packs(plan) ? packed_kernel(plan) : plain_kernel(plan);
  return text + "}  // namespace skiff::cuda\n";
}

}  // namespace skiff::cuda
