#include "converters/ir/evaluate.h"

#include <algorithm>
#include <cstring>
#include <memory_resource>

#include "runtime/cpu/isa.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/kernel.h"

namespace skiff::ir {
namespace {

constexpr std::size_t kAlignment = 256;

class BytesReader final : public ConstantReader {
 public:
  explicit BytesReader(std::span<const std::byte> bytes) : rest_(bytes) {}
  void read(std::span<std::byte> to) override {
    require(to.size() <= rest_.size(), ErrorCode::internal, "a kernel reads beyond its constant");
    std::memcpy(to.data(), rest_.data(), to.size());
    rest_ = rest_.subspan(to.size());
  }

 private:
  std::span<const std::byte> rest_;
};

/// Memory of one evaluation; every piece aligned as kernels expect.
class Scratch {
 public:
  std::span<std::byte> take(std::size_t bytes) {
    const std::size_t size = std::max<std::size_t>(bytes, 1);
    return {static_cast<std::byte*>(memory_.allocate(size, kAlignment)), bytes};
  }
  std::pmr::memory_resource& resource() { return memory_; }

 private:
  std::pmr::monotonic_buffer_resource memory_;
};

const void* operand(const Value& value, int input, Kernel& kernel, Scratch& scratch) {
  const std::span<const std::byte> bytes = *value.constant;
  BytesReader reader(bytes);
  if (const std::size_t packed = kernel.packed_bytes(input); packed > 0) {
    const auto to = scratch.take(packed);
    kernel.pack(input, reader, to, scratch.take(kernel.pack_scratch_bytes(input)));
    return to.data();
  }
  const auto to = scratch.take(bytes.size());
  if (!bytes.empty()) std::memcpy(to.data(), bytes.data(), bytes.size());
  return to.data();
}

/// Runs the node's kernel and returns the bytes of its outputs; a node that counts its results is
/// given their number. Throws Error.
std::vector<std::vector<std::byte>> compute(Graph& graph, NodeId id, MakeKernel make) {
  static thread_local cpu::ThreadPool pool(1, *std::pmr::new_delete_resource());
  const Node& node = graph.node(id);
  Graph::ViewStorage storage;
  const NodeView view = graph.view(id, storage);
  std::vector<TensorInfo> infos;
  for (ValueId output : node.outputs) infos.push_back(graph.info(output));

  Scratch scratch;
  const KernelPtr kernel = make({.node = view,
                                 .outputs = infos,
                                 .table = *cpu::available_tables().front(),
                                 .threads = 1,
                                 .memory = scratch.resource()});
  std::vector<const void*> inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId input = node.inputs[i];
    inputs.push_back(input == kAbsent
                         ? nullptr
                         : operand(graph.value(input), static_cast<int>(i), *kernel, scratch));
  }
  std::vector<std::span<std::byte>> results;
  std::vector<void*> outputs;
  for (const TensorInfo& info : infos) {
    results.push_back(scratch.take(static_cast<std::size_t>(info.bytes())));
    outputs.push_back(results.back().data());
  }
  std::int64_t count = -1;
  const Status status = kernel->run({.inputs = inputs.data(),
                                     .outputs = outputs.data(),
                                     .workspace = scratch.take(kernel->workspace_bytes()).data(),
                                     .pool = pool,
                                     .count = &count});
  require(status.ok(), status.code(), "node '", node.name, "': ", status.message());
  if (count >= 0) {
    graph.node(id).count = count;
    graph.reinfer(id);
  }
  std::vector<std::vector<std::byte>> copies;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto bytes = static_cast<std::ptrdiff_t>(graph.info(node.outputs[i]).bytes());
    copies.emplace_back(results[i].begin(), results[i].begin() + bytes);
  }
  return copies;
}

}  // namespace

bool evaluate(Graph& graph, NodeId id) {
  const OpDef* def = find_op(graph.node(id).op);
  if (def == nullptr || def->make_cpu == nullptr) return false;
  // Once a number of results was assumed, other shapes follow from it.
  if (def->most != nullptr && graph.node(id).count >= 0) return false;
  for (ValueId input : graph.node(id).inputs)
    if (input != kAbsent && !graph.value(input).constant) return false;
  std::vector<std::vector<std::byte>> results;
  try {
    results = compute(graph, id, def->make_cpu);
  } catch (const Error&) {
    return false;
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    Value& output = graph.value(graph.node(id).outputs[i]);
    output.constant = std::move(results[i]);
    output.producer = -1;
  }
  graph.remove(id);
  return true;
}

}  // namespace skiff::ir
