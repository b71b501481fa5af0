#pragma once

#include <cstddef>
#include <vector>

namespace skiff::test {

/// Small models with much of the format in them: sources of hostile variants and seeds.
std::vector<std::byte> onnx_picture_model();  ///< convolution, pooling, normalisation, product
std::vector<std::byte> onnx_program_model();  ///< shape arithmetic, branch, loop, function, slices

}  // namespace skiff::test
