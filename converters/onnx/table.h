#pragma once

#include <span>

#include "converters/onnx/op.h"

namespace skiff::onnx {

// One list of adapters a family of operators; each file's list stands at its end.
std::span<const Adapter> attention_adapters() noexcept;
std::span<const Adapter> constant_adapters() noexcept;
std::span<const Adapter> control_adapters() noexcept;
std::span<const Adapter> conv_adapters() noexcept;
std::span<const Adapter> einsum_adapters() noexcept;
std::span<const Adapter> elementwise_adapters() noexcept;
std::span<const Adapter> image_adapters() noexcept;
std::span<const Adapter> index_adapters() noexcept;
std::span<const Adapter> loop_adapters() noexcept;
std::span<const Adapter> loss_adapters() noexcept;
std::span<const Adapter> matmul_adapters() noexcept;
std::span<const Adapter> norm_adapters() noexcept;
std::span<const Adapter> pool_adapters() noexcept;
std::span<const Adapter> quant_adapters() noexcept;
std::span<const Adapter> reduce_adapters() noexcept;
std::span<const Adapter> resize_adapters() noexcept;
std::span<const Adapter> rnn_adapters() noexcept;
std::span<const Adapter> sequence_adapters() noexcept;
std::span<const Adapter> shape_adapters() noexcept;
std::span<const Adapter> signal_adapters() noexcept;

}  // namespace skiff::onnx
