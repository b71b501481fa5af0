#include "converters/onnx/table.h"

#include <algorithm>
#include <unordered_map>

#include "converters/onnx/importer.h"

namespace skiff::onnx {
namespace {

std::unordered_map<std::string_view, const Adapter*> all_adapters() {
  std::unordered_map<std::string_view, const Adapter*> table;
  for (const auto adapters :
       {attention_adapters(), constant_adapters(),    control_adapters(), conv_adapters(),
        einsum_adapters(),    elementwise_adapters(), image_adapters(),   index_adapters(),
        loop_adapters(),      loss_adapters(),        matmul_adapters(),  norm_adapters(),
        pool_adapters(),      quant_adapters(),       reduce_adapters(),  resize_adapters(),
        rnn_adapters(),       sequence_adapters(),    shape_adapters(),   signal_adapters()})
    for (const Adapter& adapter : adapters) table.emplace(adapter.op, &adapter);
  return table;
}

}  // namespace

const Adapter* find_adapter(std::string_view op) noexcept {
  static const auto table = all_adapters();
  const auto found = table.find(op);
  return found == table.end() ? nullptr : found->second;
}

int version_at(const Adapter& adapter, int opset) noexcept {
  int version = 0;
  for (int candidate : adapter.versions)
    if (candidate != 0 && candidate <= opset) version = std::max(version, candidate);
  return version;
}

}  // namespace skiff::onnx
