#include "tests/bench/bound_node.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace skiff::bench {
namespace {

constexpr std::size_t kAlignment = 64;

std::shared_ptr<std::byte[]> allocate(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(
      ::operator new (std::max<std::size_t>(bytes, 1), std::align_val_t{kAlignment}));
  return {memory, [](std::byte* p) { ::operator delete (p, std::align_val_t{kAlignment}); }};
}

class MemoryReader final : public ConstantReader {
 public:
  explicit MemoryReader(const Tensor& tensor)
      : left_(tensor.bytes.get(), static_cast<std::size_t>(tensor.info.bytes())) {}
  void read(std::span<std::byte> to) override {
    std::memcpy(to.data(), left_.data(), to.size());
    left_ = left_.subspan(to.size());
  }

 private:
  std::span<const std::byte> left_;
};

Tensor scratch(std::size_t bytes) {
  Tensor tensor(DType::uint8, Shape{static_cast<std::int64_t>(bytes)});
  std::memset(tensor.bytes.get(), 0xff, bytes);
  return tensor;
}

struct View {
  std::vector<const TensorInfo*> infos;
  NodeView node;

  explicit View(const Node& from) {
    for (const Tensor& input : from.inputs)
      infos.push_back(input.present() ? &input.info : nullptr);
    node.op = from.op;
    node.attributes =
        from.table.empty() ? nullptr : flatbuffers::GetRoot<flatbuffers::Table>(from.table.data());
    node.inputs = infos;
    node.name = "n";
  }
};

std::vector<TensorInfo> infer(const Node& node) {
  const View view(node);
  std::vector<TensorInfo> outputs(static_cast<std::size_t>(node.outputs));
  const OpDef* def = find_op(node.op);
  infer_outputs(view.node, def->attrs, outputs);
  return outputs;
}

}  // namespace

Tensor::Tensor(DType dtype, const Shape& shape) {
  info.dtype = dtype;
  info.shape = shape;
  bytes = allocate(static_cast<std::size_t>(info.bytes()));
}

Tensor Tensor::random(const Shape& shape, std::uint32_t seed) {
  Tensor tensor(DType::float32, shape);
  std::mt19937 generator(seed);
  for (float& value : tensor.values<float>())
    value = static_cast<float>(generator() >> 8) * 0x1p-23f - 1.0f;
  return tensor;
}

BoundNode::BoundNode(const Node& node, const cpu::KernelTable& table, int threads)
    : node_(node), pool_(threads, memory_) {
  const std::vector<TensorInfo> infos = infer(node_);
  const View view(node_);
  kernel_ = find_op(node_.op)->make_cpu(KernelSpec{view.node, infos, table, threads, memory_});
  packed_.resize(node_.inputs.size());
  pack_scratch_.resize(node_.inputs.size());
  for (std::size_t i = 0; i < packed_.size(); ++i) {
    const int input = static_cast<int>(i);
    if (!node_.inputs[i].info.constant || kernel_->packed_bytes(input) == 0) continue;
    packed_[i] = scratch(kernel_->packed_bytes(input));
    pack_scratch_[i] = scratch(kernel_->pack_scratch_bytes(input));
  }
  pack();
  workspace_ = scratch(kernel_->workspace_bytes());
  for (const TensorInfo& info : infos) {
    outputs_.emplace_back(info.dtype, info.shape);
    std::memset(outputs_.back().bytes.get(), 0xff, static_cast<std::size_t>(info.bytes()));
  }
}

void BoundNode::pack() {
  for (std::size_t i = 0; i < packed_.size(); ++i) {
    if (!packed_[i].present()) continue;
    MemoryReader reader(node_.inputs[i]);
    kernel_->pack(static_cast<int>(i), reader, packed_[i].values<std::byte>(),
                  pack_scratch_[i].values<std::byte>());
  }
}

Status BoundNode::run() {
  std::vector<const void*> inputs;
  std::vector<void*> results;
  for (std::size_t i = 0; i < packed_.size(); ++i)
    inputs.push_back(packed_[i].present() ? packed_[i].bytes.get() : node_.inputs[i].bytes.get());
  for (const Tensor& output : outputs_) results.push_back(output.bytes.get());
  return kernel_->run(RunArgs{inputs.data(), results.data(), workspace_.bytes.get(), pool_});
}

}  // namespace skiff::bench
