// Speed of the hot kernels on real layer shapes; not part of ctest. For one instruction set:
//   kernels_bench --benchmark_filter=avx2
#include <benchmark/benchmark.h>

#include <array>
#include <memory>

#include "runtime/cpu/isa.h"
#include "tests/bench/bound_node.h"
#include "tests/bench/layers.h"

namespace skiff::bench {
namespace {

Node conv_node(const Layer& l) {
  fb::ConvAttrsT attrs;
  attrs.strides = {l.stride, l.stride};
  const std::int64_t all = l.kernel - 1, before = all / 2;
  attrs.pads = {before, before, all - before, all - before};
  attrs.groups = l.depthwise ? l.cin : 1;
  attrs.activation = fb::UnaryFunction::clip;
  attrs.beta = 6;
  const std::int64_t depth = l.depthwise ? 1 : l.cin;
  return {fb::OpKind::conv,
          attributes<fb::ConvAttrs>(attrs),
          {Tensor::random(Shape{1, l.size, l.size, l.cin}, 1),
           Tensor::random(Shape{l.cout, l.kernel, l.kernel, depth}, 2).constant(),
           Tensor::random(Shape{l.cout}, 3)}};
}

/// GFLOP/s, and their share of what the threads could compute at most. Of Winograd's form the
/// operations of the direct one are counted: it may pass 1.
void count_work(benchmark::State& state, const cpu::KernelTable& table, double flops,
                int threads = 1) {
  state.counters["of peak"] = benchmark::Counter(
      flops * static_cast<double>(state.iterations()) / (cpu::measured_peak(table) * threads),
      benchmark::Counter::kIsRate);
  state.counters["GFLOP/s"] = benchmark::Counter(
      flops * static_cast<double>(state.iterations()) * 1e-9, benchmark::Counter::kIsRate);
}

void run_layer(benchmark::State& state, const cpu::KernelTable* table, const Layer& layer,
               int threads) {
  BoundNode node(conv_node(layer), *table, threads);
  for (auto _ : state)
    if (!node.run().ok()) state.SkipWithError("run failed");
  count_work(state, *table, static_cast<double>(node.kernel().flops()), threads);
}

/// All layers one after another: weights and activations leave the caches as they do in the
/// network.
void run_network(benchmark::State& state, const cpu::KernelTable* table,
                 const std::vector<Layer>& layers, int threads) {
  std::vector<std::unique_ptr<BoundNode>> nodes;
  double flops = 0;
  for (const Layer& layer : layers)
    for (int i = 0; i < layer.count; ++i) {
      nodes.push_back(std::make_unique<BoundNode>(conv_node(layer), *table, threads));
      flops += static_cast<double>(nodes.back()->kernel().flops());
    }
  for (auto _ : state)
    for (auto& node : nodes)
      if (!node->run().ok()) state.SkipWithError("run failed");
  count_work(state, *table, flops, threads);
}

/// Packing all weights, as loading does.
void run_packing(benchmark::State& state, const cpu::KernelTable* table,
                 const std::vector<Layer>& layers) {
  std::vector<std::unique_ptr<BoundNode>> nodes;
  for (const Layer& layer : layers)
    for (int i = 0; i < layer.count; ++i)
      nodes.push_back(std::make_unique<BoundNode>(conv_node(layer), *table, 1));
  for (auto _ : state)
    for (auto& node : nodes) node->pack();
}

void run_matmul(benchmark::State& state, const cpu::KernelTable* table, std::int64_t m,
                std::int64_t k, std::int64_t n, bool constant) {
  Node node{fb::OpKind::matmul,
            attributes<fb::MatMulAttrs>({}),
            {Tensor::random(Shape{m, k}, 1), Tensor::random(Shape{k, n}, 2)}};
  if (constant) node.inputs[1] = node.inputs[1].constant();
  BoundNode bound(node, *table, 1);
  for (auto _ : state)
    if (!bound.run().ok()) state.SkipWithError("run failed");
  count_work(state, *table, static_cast<double>(bound.kernel().flops()));
}

void add_layers(const std::string& prefix, const cpu::KernelTable* table,
                const std::vector<Layer>& layers) {
  for (const Layer& layer : layers)
    benchmark::RegisterBenchmark((prefix + name_of(layer)).c_str(), run_layer, table, layer, 1)
        ->Unit(benchmark::kMicrosecond);
  for (int threads : {1, 2})
    benchmark::RegisterBenchmark((prefix + "all/threads:" + std::to_string(threads)).c_str(),
                                 run_network, table, layers, threads)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  benchmark::RegisterBenchmark((prefix + "packing").c_str(), run_packing, table, layers)
      ->Unit(benchmark::kMillisecond);
}

void add_all() {
  for (const cpu::KernelTable* table : cpu::available_tables()) {
    const std::string isa = table->name;
    add_layers(isa + "/mobilenet_v2/", table, mobilenet_v2());
    add_layers(isa + "/resnet50/", table, resnet50());
    for (const bool constant : {true, false})
      for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{1, 2048, 1000},
                                    {128, 768, 768},
                                    {128, 768, 3072},
                                    {197, 64, 197}})
        benchmark::RegisterBenchmark(
            (isa + "/matmul/" + std::to_string(m) + "x" + std::to_string(k) + "x" +
             std::to_string(n) + (constant ? "/constant" : "/dynamic"))
                .c_str(),
            run_matmul, table, m, k, n, constant)
            ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace
}  // namespace skiff::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  skiff::bench::add_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
