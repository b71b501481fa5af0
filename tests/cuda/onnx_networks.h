#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/converters/onnx_builder.h"

// The networks that GPU figures are published for, as ONNX models with seeded random weights and
// batch normalisation folded in: shapes and operators are theirs, answers mean nothing.
namespace skiff::test {

struct OnnxNetwork {
  OnnxBuilder onnx;
  std::int64_t parameters = 0;  ///< as published: two for each channel that is normalised
  std::int64_t products = 0;    ///< multiplications of convolutions and constant matrices
};

/// "resnet50", "mobilenet_v2", "efficientnet_b0", "yolo_like", "bert_base_128", "vit_b_16".
std::vector<std::string> onnx_network_names();
/// Throws Error{not_found} that lists the names.
OnnxNetwork onnx_network(const std::string& name);

}  // namespace skiff::test
