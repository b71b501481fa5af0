#include "runtime/cuda/program.h"

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

void Program::abandon() noexcept {
  Graph graph;
  static_cast<void>(cudaStreamEndCapture(device_.stream(), graph.out()));
}

}  // namespace skiff::cuda
