#include "runtime/ops/conv_cuda.h"

#include "runtime/cuda/cublaslt/matmul.h"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/weights.h"

namespace skiff::cuda {

namespace {

constexpr std::string_view kDirect = "direct", kMma = "mma", kStem = "stem";

ConvPlan plan_of(const KernelSpec& spec) {
  ConvPlan plan = read_conv(spec.node);
  plan.tf32 = spec.tf32 && plan.dtype == DType::float32;
  return plan;
}

bool is_depthwise(const KernelSpec& spec, const ConvPlan& plan) {
  const ConvGeometry& g = plan.geometry;
  return g.groups == g.cin && g.groups == g.cout && spec.input(1).constant;
}

/// f()'s kernel; null where there is none.
template <typename F>
KernelPtr attempt(F&& f) {
  try {
    return f();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported) throw;
    return nullptr;
  }
}

/// The one that was chosen; null when nobody has it.
KernelPtr make_chosen_conv(const KernelSpec& spec, const ConvPlan& plan) {
  if (spec.choice == kDirect) return make_direct_conv(spec, plan);
  if (spec.choice == kMma) return fits_mma(plan) ? make_mma_conv(spec, plan) : nullptr;
  if (spec.choice == kStem) return fits_stem(plan) ? make_stem_conv(spec, plan) : nullptr;
  if (const int rank = cublaslt::rank_of(spec.choice); rank >= 0)
    return attempt([&] { return make_product_conv(spec, plan, rank); });
  return attempt([&] { return make_cudnn_conv(spec, plan, spec.choice); });
}

std::string group_of(const ConvPlan& plan) {
  return message("conv ", plan.dtype, plan.tf32 ? " as tf32" : "", " stored ", plan.stored,
                 " bias ", plan.has_bias, " residual ", plan.has_residual, " then ",
                 static_cast<int>(plan.activation.function), text_of(plan.geometry));
}

}  // namespace

std::string text_of(const ConvGeometry& g) {
  std::string text = message(" n ", g.batch, " c ", g.cin, " k ", g.cout, " groups ", g.groups);
  for (std::size_t i = 0; i < 3; ++i)
    text += message(" axis ", g.in[i], " ", g.out[i], " ", g.kernel[i], " ", g.stride[i], " ",
                    g.dilation[i], " ", g.pad_begin[i], " ", g.pad_end[i]);
  return text;
}

skiff_constant_form StoredWeightsConv::constant_form(int input) const noexcept {
  if (input != weights_ || plan_.stored == plan_.dtype) return {};
  return {static_cast<std::uint64_t>(plan_.weights()) * size_of(plan_.dtype),
          read_scratch(plan_.stored, plan_.dtype, plan_.weights()), 0};
}

void StoredWeightsConv::pack(int, Reader& reader, std::span<std::byte> packed,
                             std::span<std::byte> scratch) {
  read_weights(reader, plan_.stored, plan_.dtype, packed, scratch);
}

std::int64_t StoredWeightsConv::flops() const noexcept {
  const ConvGeometry& g = plan_.geometry;
  const std::int64_t pixels = plan_.transposed ? g.in_pixels() : g.out_pixels();
  return 2 * g.batch * pixels * g.cout * g.taps() * g.group_cin();
}

KernelPtr make_conv(const KernelSpec& spec) {
  const ConvPlan plan = plan_of(spec);
  if (is_depthwise(spec, plan)) return make_depthwise_conv(spec, plan);
  if (plan.outputs() == 0) return make_direct_conv(spec, plan);
  KernelPtr kernel = spec.choice.empty() ? nullptr : make_chosen_conv(spec, plan);
  if (kernel == nullptr && spec.exact) refuse("no ", spec.choice, " for this convolution");
  if (kernel == nullptr) kernel = attempt([&] { return make_cudnn_conv(spec, plan); });
  if (kernel == nullptr && fits_mma(plan)) kernel = make_mma_conv(spec, plan);
  return kernel != nullptr ? std::move(kernel) : make_direct_conv(spec, plan);
}

Choices list_conv_choices(const KernelSpec& spec, int most) {
  const ConvPlan plan = plan_of(spec);
  if (is_depthwise(spec, plan) || plan.outputs() == 0) return {};
  Choices choices{group_of(plan), list_cudnn_conv(spec, plan, most)};
  const int products = count_product_conv(spec, plan, most);
  for (int rank = 0; rank < products; ++rank) choices.names.push_back(cublaslt::name_of_rank(rank));
  if (fits_mma(plan)) choices.names.emplace_back(kMma);
  if (fits_stem(plan)) choices.names.emplace_back(kStem);
  choices.names.emplace_back(kDirect);
  return choices;
}

KernelPtr make_conv_transpose(const KernelSpec& spec) {
  return make_direct_conv(spec, read_conv(spec.node));
}

}  // namespace skiff::cuda
