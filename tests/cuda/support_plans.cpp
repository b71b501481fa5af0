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

namespace {

/// What is alike in kinds of convolutions, without their sizes.
std::string kind_of(const ConvPlan& plan) {
  const ConvGeometry& g = plan.geometry;
  std::ostringstream text;
  const char* between = "";
  for (std::size_t axis = g.spatial == 3 ? 0 : 1; axis < 3; ++axis, between = "x")
    text << between << g.kernel[axis];
  text << " stride " << g.stride[2] << ", " << g.cin << " to " << g.cout << " channels, "
       << g.groups << (g.groups == 1 ? " group" : " groups");
  return text.str();
}

void print_row(const std::string& name, const Support& s) {
  std::printf("%-46s  %5d %5d %5d %5d %5d %5d\n", name.c_str(), s.fused[0], s.fused[1], s.fused[2],
              s.tensor_cores, s.own, s.slow);
}

void add(Support& sum, const Support& more) {
  for (std::size_t i = 0; i < 3; ++i) sum.fused[i] += more.fused[i];
  sum.tensor_cores += more.tensor_cores;
  sum.left_out += more.left_out;
  sum.own += more.own;
  sum.slow += more.slow;
}

}  // namespace

Support print_support(const char* device, const cudnn::Target& target, const Arithmetic& arithmetic,
                      const NetworkPlans& plans) {
  std::printf("%-8s %-37s  fused  +act  conv    TC   own  slow\n", device, arithmetic.name);
  Support all;
  std::map<std::string, const char*> without;
  for (const auto& [network, convolutions] : plans) {
    Support here;
    for (ConvPlan plan : convolutions) {
      plan.dtype = plan.stored = arithmetic.dtype;
      plan.tf32 = arithmetic.tf32;
      if (const auto engine = find_conv_engine(plan, target)) {
        ++here.fused[static_cast<int>(engine->graph.fusion)];
        if (engine->plan.tensor_cores)
          ++here.tensor_cores;
        else if (fits_mma(plan))
          ++here.left_out;
      } else {
        ++(fits_mma(plan) ? here.own : here.slow);
        without[kind_of(plan)] = fits_mma(plan) ? "implicit product" : "direct";
      }
    }
    print_row(network, here);
    add(all, here);
  }
  for (const auto& [kind, kernel] : without)
    std::printf("  no engine: %s: %s\n", kind.c_str(), kernel);
  return all;
}

}  // namespace skiff::cuda
