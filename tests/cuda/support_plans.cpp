#include "tests/cuda/support_plans.h"

#include <cstdio>
#include <sstream>

namespace skiff::cuda {
namespace {

constexpr const char* kNetwork = "network ";

/// Every number of a plan, in one order for reading and writing.
template <typename Plan, typename F>
void each_number(Plan& plan, F&& f) {
  auto& g = plan.geometry;
  for (auto* n : {&g.batch, &g.cin, &g.cout, &g.groups}) f(*n);
  for (auto* axes : {&g.in, &g.out, &g.kernel, &g.stride, &g.dilation, &g.pad_begin, &g.pad_end})
    for (auto& n : *axes) f(n);
}

}  // namespace

void write_plans(std::ostream& out, const NetworkPlans& plans) {
  for (const auto& [network, convolutions] : plans) {
    out << kNetwork << network << '\n';
    for (const ConvPlan& plan : convolutions) {
      each_number(plan, [&](std::int64_t n) { out << n << ' '; });
      out << plan.geometry.spatial << ' ' << plan.has_bias << ' ' << plan.has_residual << ' '
          << static_cast<int>(plan.activation.function) << '\n';
    }
  }
}

NetworkPlans read_plans(std::istream& in) {
  NetworkPlans plans;
  std::vector<ConvPlan>* network = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(kNetwork)) {
      network = &plans[line.substr(std::string(kNetwork).size())];
      continue;
    }
    if (network == nullptr) continue;
    std::istringstream numbers(line);
    ConvPlan plan;
    int function = 0;
    each_number(plan, [&](std::int64_t& n) { numbers >> n; });
    numbers >> plan.geometry.spatial >> plan.has_bias >> plan.has_residual >> function;
    plan.activation.function = static_cast<fb::UnaryFunction>(function);
    if (numbers) network->push_back(plan);
  }
  return plans;
}

int print_support(const char* device, const cudnn::Target& target, DType dtype,
                  const NetworkPlans& plans) {
  std::printf("%-8s %-8s %-28s  fused  +act  conv   own  slow\n", device, name_of(dtype), "");
  int all_slow = 0;
  for (const auto& [network, convolutions] : plans) {
    int fused[3] = {}, own = 0, slow = 0;
    for (ConvPlan plan : convolutions) {
      plan.dtype = plan.stored = dtype;
      const auto engine = find_conv_engine(plan, target);
      ++(engine ? fused[static_cast<int>(engine->graph.fusion)] : fits_mma(plan) ? own : slow);
    }
    std::printf("%-46s  %5d %5d %5d %5d %5d\n", network.c_str(), fused[0], fused[1], fused[2], own,
                slow);
    all_slow += slow;
  }
  return all_slow;
}

}  // namespace skiff::cuda
