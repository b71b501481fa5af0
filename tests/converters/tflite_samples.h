#pragma once

#include <cstddef>
#include <vector>

namespace skiff::test {

/// Small .tflite files of different operators, for damage and as seeds of the fuzzer.
std::vector<std::byte> picture_model();  ///< convolution, pool, reshape, softmax
std::vector<std::byte> list_model();     ///< slices, reductions, quantised constants, product
std::vector<std::byte>
recurrent_model();                        ///< sequence layer, halves, sparse weights, split, concat
std::vector<std::byte> stateful_model();  ///< composite, one step of LSTM and SVDF

}  // namespace skiff::test
