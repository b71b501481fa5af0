#include <cstring>

#include "tests/cuda/double/runtime/machine.h"

// Streams, copies, capture and graphs. Work waits until somebody synchronises, so that a result
// read too early is not there yet.
namespace cuda_double {

Stream& stream_of(cudaStream_t handle) {
  return handle == nullptr ? machine().default_stream : *reinterpret_cast<Stream*>(handle);
}

cudaError_t submit(Stream& stream, Work work) {
  auto& to = stream.capture != nullptr ? stream.capture->nodes : stream.queue;
  to.push_back(std::move(work));
  return cudaSuccess;
}

cudaError_t drain(Stream& stream) {
  Machine& m = machine();
  ++m.waits;
  if (stream.capture != nullptr) {
    stream.broken = true;
    return cudaErrorStreamCaptureUnsupported;
  }
  const std::vector<Work> queue = std::exchange(stream.queue, {});
  if (queue.empty() || m.sticky != cudaSuccess) return m.sticky;
  const DeviceAccess access;
  for (const Work& work : queue)
    if (const cudaError_t error = work(); error != cudaSuccess) {
      m.sticky = error;
      return error;
    }
  return cudaSuccess;
}

void drain_all() {
  for (Stream* stream : machine().streams)
    if (stream->capture == nullptr && !stream->queue.empty()) drain(*stream);
}

namespace {

/// A graph that was launched lives until it has run.
using ReadyGraph = std::shared_ptr<const Graph>;

/// Memory the library did not give out is staged at the call, as the real one does.
Work copy_of(void* to, const void* from, std::size_t bytes, bool stage) {
  if (!stage)
    return [=] {
      std::memcpy(to, from, bytes);
      return cudaSuccess;
    };
  const auto* begin = static_cast<const char*>(from);
  return [to, held = std::vector<char>(begin, begin + bytes)] {
    std::memcpy(to, held.data(), held.size());
    return cudaSuccess;
  };
}

}  // namespace
}  // namespace cuda_double

using namespace cuda_double;

CUDA_DOUBLE cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                                        cudaMemcpyKind /*kind*/, cudaStream_t handle) {
  CUDA_DOUBLE_ENTER();
  Stream& stream = stream_of(handle);
  const bool stage = !owns(from) && stream.capture == nullptr;
  return submit(stream, copy_of(to, from, bytes, stage));
}
CUDA_DOUBLE cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t handle) {
  CUDA_DOUBLE_ENTER();
  return submit(stream_of(handle), [=] {
    std::memset(to, value, bytes);
    return cudaSuccess;
  });
}
CUDA_DOUBLE cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function,
                                           void* context) {
  CUDA_DOUBLE_ENTER();
  return submit(stream_of(handle), [=] {
    function(context);
    return cudaSuccess;
  });
}

CUDA_DOUBLE cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned /*flags*/) {
  CUDA_DOUBLE_ENTER();
  auto* const stream = new Stream;
  machine().streams.insert(stream);
  *handle = reinterpret_cast<cudaStream_t>(stream);
  cuda_double_count_object(1);
  return cudaSuccess;
}
CUDA_DOUBLE cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  CUDA_DOUBLE_LEAVE();
  Stream* const stream = &stream_of(handle);
  if (stream->capture != nullptr) machine().complain("a stream is destroyed while it captures");
  cuda_double_count_object(stream->capture != nullptr ? -2 : -1);
  machine().streams.erase(stream);
  delete stream;
  return injected;
}
CUDA_DOUBLE cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  CUDA_DOUBLE_ENTER();
  return machine().result(drain(stream_of(handle)));
}

CUDA_DOUBLE cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  CUDA_DOUBLE_ENTER();
  Stream& stream = stream_of(handle);
  if (stream.capture != nullptr) return machine().result(cudaErrorIllegalState);
  stream.capture = std::make_unique<Graph>();
  stream.broken = false;
  cuda_double_count_object(1);
  return cudaSuccess;
}
/// Also ends the capture when it fails.
CUDA_DOUBLE cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  CUDA_DOUBLE_LEAVE();
  Stream& stream = stream_of(handle);
  *graph = nullptr;
  if (stream.capture == nullptr) return machine().result(cudaErrorIllegalState);
  if (injected != cudaSuccess) {
    stream.capture.reset();
    cuda_double_count_object(-1);
    return injected;
  }
  if (!stream.broken) {
    *graph = reinterpret_cast<cudaGraph_t>(stream.capture.release());
    return cudaSuccess;
  }
  stream.capture.reset();
  cuda_double_count_object(-1);
  return machine().result(cudaErrorStreamCaptureInvalidated);
}
CUDA_DOUBLE cudaError_t cudaGraphInstantiate(cudaGraphExec_t* ready, cudaGraph_t graph,
                                             unsigned long long /*flags*/) {
  CUDA_DOUBLE_ENTER();
  *ready = reinterpret_cast<cudaGraphExec_t>(
      new ReadyGraph(std::make_shared<const Graph>(*reinterpret_cast<Graph*>(graph))));
  cuda_double_count_object(1);
  return cudaSuccess;
}
CUDA_DOUBLE cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  CUDA_DOUBLE_ENTER();
  return cudaSuccess;
}
CUDA_DOUBLE cudaError_t cudaGraphLaunch(cudaGraphExec_t ready, cudaStream_t handle) {
  CUDA_DOUBLE_ENTER();
  ++machine().launches;
  const ReadyGraph graph = *reinterpret_cast<ReadyGraph*>(ready);
  return submit(stream_of(handle), [graph] {
    for (const Work& node : graph->nodes)
      if (const cudaError_t error = node(); error != cudaSuccess) return error;
    return cudaSuccess;
  });
}
CUDA_DOUBLE cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  CUDA_DOUBLE_LEAVE();
  delete reinterpret_cast<Graph*>(graph);
  cuda_double_count_object(-1);
  return injected;
}
CUDA_DOUBLE cudaError_t cudaGraphExecDestroy(cudaGraphExec_t ready) {
  CUDA_DOUBLE_LEAVE();
  delete reinterpret_cast<ReadyGraph*>(ready);
  cuda_double_count_object(-1);
  return injected;
}
CUDA_DOUBLE cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* /*nodes*/,
                                          size_t* count) {
  CUDA_DOUBLE_ENTER();
  *count = reinterpret_cast<Graph*>(graph)->nodes.size();
  return cudaSuccess;
}

CUDA_DOUBLE cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) {
  CUDA_DOUBLE_ENTER();
  *event = reinterpret_cast<cudaEvent_t>(new std::shared_ptr<double>(new double{-1}));
  cuda_double_count_object(1);
  return cudaSuccess;
}
CUDA_DOUBLE cudaError_t cudaEventDestroy(cudaEvent_t event) {
  CUDA_DOUBLE_LEAVE();
  delete reinterpret_cast<std::shared_ptr<double>*>(event);
  cuda_double_count_object(-1);
  return injected;
}
CUDA_DOUBLE cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  CUDA_DOUBLE_ENTER();
  return submit(stream_of(handle), [time = *reinterpret_cast<std::shared_ptr<double>*>(event)] {
    *time = machine().now;
    return cudaSuccess;
  });
}
CUDA_DOUBLE cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end) {
  CUDA_DOUBLE_ENTER();
  const auto time = [](cudaEvent_t event) {
    return **reinterpret_cast<std::shared_ptr<double>*>(event);
  };
  if (time(begin) < 0 || time(end) < 0) return machine().result(cudaErrorNotReady);
  *ms = static_cast<float>(time(end) - time(begin));
  return cudaSuccess;
}
