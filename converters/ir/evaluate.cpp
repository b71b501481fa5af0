#include "converters/ir/evaluate.h"

#include <algorithm>
#include <cstring>
#include <memory_resource>

#include "runtime/cpu/isa.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/control.h"
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
  for (ValueId output : node.outputs) infos.push_back(graph.info(output, storage));

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

using Pieces = std::vector<std::vector<std::byte>>;

/// What a nested graph gives for these inputs. Throws Error.
Pieces compute_body(const Graph& body, const std::vector<std::span<const std::byte>>& inputs) {
  Graph graph = body;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    graph.value(graph.inputs[i]).constant.emplace(inputs[i].begin(), inputs[i].end());
  for (NodeId id : body.order())
    require(evaluate(graph, id), ErrorCode::unsupported, "node '", graph.node(id).name,
            "' of a nested graph cannot be computed at conversion");
  Pieces results;
  for (ValueId output : graph.outputs) results.push_back(*graph.value(output).constant);
  return results;
}

Pieces compute_branches(const Graph& graph, const Node& node) {
  const auto bytes = [&](std::size_t i) -> const std::vector<std::byte>& {
    return *graph.value(node.inputs[i]).constant;
  };
  std::vector<std::span<const std::byte>> captured;
  for (std::size_t i = 1; i < node.inputs.size(); ++i) captured.emplace_back(bytes(i));
  return compute_body(node.bodies[bytes(0)[0] != std::byte{0} ? 0 : 1], captured);
}

/// Copies slice `at` along an axis of `whole` to or from dense bytes.
void move_slice(std::span<std::byte> whole, const Shape& shape, std::int64_t axis, std::int64_t at,
                std::span<std::byte> slice, bool store) {
  const auto outer = static_cast<std::size_t>(shape.elements(0, static_cast<int>(axis)));
  if (outer == 0 || slice.empty()) return;
  const std::size_t run = slice.size() / outer, pitch = whole.size() / outer;
  for (std::size_t i = 0; i < outer; ++i) {
    std::byte* inside = whole.data() + i * pitch + static_cast<std::size_t>(at) * run;
    std::byte* dense = slice.data() + i * run;
    std::memcpy(store ? inside : dense, store ? dense : inside, run);
  }
}

/// Turn by turn, as LoopAttrs in the schema says.
Pieces compute_turns(const Graph& graph, const Node& node) {
  const auto& attrs = node.attrs.get<fb::LoopAttrs>();
  const LoopForm form = loop_form(node.op, attrs, node.inputs.size(), node.outputs.size());
  const auto bytes = [&](int i) {
    return *graph.value(node.inputs[static_cast<std::size_t>(i)]).constant;
  };
  const auto shape = [&](ValueId id) { return graph.value(id).shape; };
  const bool loop = node.op == fb::OpKind::loop;
  const std::int64_t most = attrs.max_trip_count();
  std::int64_t wanted = most;
  if (loop) std::memcpy(&wanted, bytes(0).data(), sizeof wanted);
  bool going = !loop || bytes(1)[0] != std::byte{0};
  Pieces results;
  for (int k = 0; k < form.carried; ++k) results.push_back(bytes(form.first + k));
  for (int k = 0; k < form.collected; ++k)
    results.emplace_back(static_cast<std::size_t>(
        graph.info(node.outputs[static_cast<std::size_t>(form.carried + k)]).bytes()));
  std::int64_t turn = 0;
  for (; turn < wanted && going; ++turn) {
    require(turn < most, ErrorCode::bad_value, "a loop turns more often than it is bounded to");
    Pieces inputs;
    if (loop) inputs.push_back(bytes_of(std::span<const std::int64_t>(&turn, 1)));
    if (loop) inputs.push_back({std::byte{1}});
    inputs.insert(inputs.end(), results.begin(), results.begin() + form.carried);
    for (int k = 0; k < form.scanned; ++k) {
      const auto i = static_cast<std::size_t>(form.scanned_input(k));
      const Graph& body = node.bodies[0];
      std::vector<std::byte> whole = bytes(form.scanned_input(k)),
                             slice(static_cast<std::size_t>(
                                 body.info(body.inputs[inputs.size()]).bytes()));
      const std::int64_t at = entry(attrs.scan_input_reverse(), k) ? most - 1 - turn : turn;
      move_slice(whole, shape(node.inputs[i]), entry(attrs.scan_input_axes(), k), at, slice, false);
      inputs.push_back(std::move(slice));
    }
    for (int k = 0; k < form.captured; ++k) inputs.push_back(bytes(form.captured_input(k)));
    Pieces given = compute_body(node.bodies[0], {inputs.begin(), inputs.end()});
    if (loop) going = given[0][0] != std::byte{0};
    for (int k = 0; k < form.carried + form.collected; ++k) {
      auto& piece = given[static_cast<std::size_t>(form.judged + k)];
      auto& result = results[static_cast<std::size_t>(k)];
      const int c = k - form.carried;
      const std::int64_t at = entry(attrs.scan_output_reverse(), c) ? most - 1 - turn : turn;
      if (c < 0)
        result = std::move(piece);
      else
        move_slice(result, shape(node.outputs[static_cast<std::size_t>(k)]),
                   entry(attrs.scan_output_axes(), c), at, piece, true);
    }
  }
  require(form.collected == 0 || turn == most, ErrorCode::bad_value,
          "a loop collects fewer results than were planned");
  return results;
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
    const Node& node = graph.node(id);
    results = node.bodies.empty()              ? compute(graph, id, def->make_cpu)
              : node.op == fb::OpKind::if_else ? compute_branches(graph, node)
                                               : compute_turns(graph, node);
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
