#include "runtime/cuda/program.h"

#include <algorithm>
#include <vector>

namespace skiff::cuda {

bool Program::finish() {
  Graph graph;
  check(cudaStreamEndCapture(device_.stream(), graph.out()), "cudaStreamEndCapture");
  std::size_t nodes = 0;
  check(cudaGraphGetNodes(graph.get(), nullptr, &nodes), "cudaGraphGetNodes");
  if (nodes == 0) return false;
  check(cudaGraphInstantiate(ready_.out(), graph.get(), 0), "cudaGraphInstantiate");
  check(cudaGraphUpload(ready_.get(), device_.stream()), "cudaGraphUpload");
  device_.wait();
  return true;
}

float Program::time(void* flush, std::size_t flush_bytes, int runs) {
  constexpr int kWarmUps = 3;
  Event begin, end;
  check(cudaEventCreateWithFlags(begin.out(), cudaEventDefault), "cudaEventCreate");
  check(cudaEventCreateWithFlags(end.out(), cudaEventDefault), "cudaEventCreate");
  const cudaStream_t stream = device_.stream();
  std::vector<float> times;
  for (int i = 0; i < runs + kWarmUps; ++i) {
    if (flush_bytes > 0) check(cudaMemsetAsync(flush, i, flush_bytes, stream), "cudaMemsetAsync");
    check(cudaEventRecord(begin.get(), stream), "cudaEventRecord");
    check(launch(stream), "cudaGraphLaunch");
    check(cudaEventRecord(end.get(), stream), "cudaEventRecord");
    device_.wait();
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin.get(), end.get()), "cudaEventElapsedTime");
    if (i >= kWarmUps) times.push_back(ms);
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

void Program::abandon() noexcept {
  Graph graph;
  static_cast<void>(cudaStreamEndCapture(device_.stream(), graph.out()));
}

}  // namespace skiff::cuda
