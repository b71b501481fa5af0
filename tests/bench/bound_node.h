#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <vector>

#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/kernel.h"
#include "runtime/ops/op.h"

// One operator outside of any model, bound once and run again and again. Tests use
// tests/support/op_runner.h, which compares; this one only runs.
namespace skiff::bench {

/// A tensor that owns its bytes, in a heap block of exactly its size (so that sanitizers see every
/// step beyond it).
struct Tensor {
  TensorInfo info;
  std::shared_ptr<std::byte[]> bytes;

  Tensor() = default;
  Tensor(DType dtype, const Shape& shape);
  /// Reproducible numbers, evenly spread in [-1, 1).
  static Tensor random(const Shape& shape, std::uint32_t seed);

  template <typename T>
  T* data() const {
    return reinterpret_cast<T*>(bytes.get());
  }
  template <typename T>
  std::span<T> values() const {
    return {data<T>(), static_cast<std::size_t>(info.elements())};
  }
  Tensor constant() const {
    Tensor copy = *this;
    copy.info.constant = true;
    return copy;
  }
  bool present() const { return info.dtype != DType::none; }
};

/// A node: operator, attribute table (made with `attributes`), operands. An operand that is not
/// present() is an optional input left out.
struct Node {
  fb::OpKind op;
  std::vector<std::byte> table;  ///< a finished FlatBuffer whose root is the attribute table
  std::vector<Tensor> inputs;
  int outputs = 1;
};

/// The bytes of an attribute table in its object form, e.g. fb::ConvAttrsT.
template <typename Table>
std::vector<std::byte> attributes(const typename Table::NativeTableType& values) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(Table::Pack(builder, &values));
  const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return {begin, begin + builder.GetSize()};
}

/// The kernel of a node, bound and packed, to be run again and again.
class BoundNode {
 public:
  /// Throws what rule and kernel throw.
  BoundNode(const Node& node, const cpu::KernelTable& table, int threads);
  /// Runs; workspace and outputs hold NaN before the first run.
  Status run();
  /// Packs the constants again, as loading does.
  void pack();
  const Kernel& kernel() const { return *kernel_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }

 private:
  Node node_;
  std::pmr::monotonic_buffer_resource memory_;
  cpu::ThreadPool pool_;
  std::vector<Tensor> outputs_;
  KernelPtr kernel_;
  std::vector<Tensor> packed_;
  std::vector<Tensor> pack_scratch_;
  Tensor workspace_;
};

}  // namespace skiff::bench
