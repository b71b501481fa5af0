#include "runtime/ops/integer_conv_cuda.h"

#include "runtime/cuda/cublaslt/matmul.h"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/ops/conv_cuda.h"

namespace skiff::cuda {
namespace {

constexpr std::string_view kOwn = "own";

std::string group_of(const IntegerConvPlan& plan) {
  return message("integer conv ", plan.from, " to ", plan.to, " zero ", plan.scales.x.zero != 0,
                 " bias ", plan.has_bias, " then ", static_cast<int>(plan.activation.function),
                 text_of(plan.geometry));
}

/// A library's.
KernelPtr make_chosen(const KernelSpec& spec, const IntegerConvPlan& plan) {
  const int rank = cublaslt::rank_of(spec.choice);
  return rank >= 0 ? make_product_integer_conv(spec, plan, rank)
                   : make_cudnn_integer_conv(spec, plan, spec.choice);
}

}  // namespace

KernelPtr make_integer_conv(const KernelSpec& spec) {
  const IntegerConvPlan plan = read_integer_conv(spec);
  if (spec.choice.empty() || spec.choice == kOwn) return make_own_integer_conv(spec, plan);
  try {
    return make_chosen(spec, plan);
  } catch (const Error& error) {
    if (spec.exact || error.code() != ErrorCode::unsupported) throw;
  }
  return make_own_integer_conv(spec, plan);
}

Choices list_integer_conv_choices(const KernelSpec& spec, int most) {
  const IntegerConvPlan plan = read_integer_conv(spec);
  Choices choices{group_of(plan), {std::string(kOwn)}};
  for (std::string& name : list_cudnn_integer_conv(spec, plan, most))
    choices.names.push_back(std::move(name));
  const int products = count_product_integer_conv(spec, plan, most);
  for (int rank = 0; rank < products; ++rank) choices.names.push_back(cublaslt::name_of_rank(rank));
  return choices;
}

}  // namespace skiff::cuda
