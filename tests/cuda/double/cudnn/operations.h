#pragma once

#include <map>
#include <vector>

#include "tests/cuda/double/cudnn/descriptor.h"

namespace cuda_double {

using Dims = std::vector<std::int64_t>;

/// A tensor descriptor read.
struct TensorView {
  Dims dims, strides;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::int64_t id = -1, alignment = 1;
  bool is_virtual = false;

  explicit TensorView(const Descriptor& descriptor);
  std::int64_t elements() const;
};

/// One execution of a graph: where tensors lie, and the values of virtual ones.
struct Execution {
  std::map<std::int64_t, void*> pointers;
  std::map<std::int64_t, std::vector<float>> virtual_values;
  bool tf32 = false;  ///< convolutions round what they multiply

  /// All elements, dense in the order of dims.
  std::vector<float> read(const TensorView& tensor) const;
  void write(const TensorView& tensor, std::vector<float> values);
};

/// Why an operation makes no sense ("": it does), and its execution.
std::string convolution_fault(const Descriptor& operation);
void run_convolution(Execution& execution, const Descriptor& operation);
std::string pointwise_fault(const Descriptor& operation);
void run_pointwise(Execution& execution, const Descriptor& operation);

/// Calls f(linear index, index tuple) for every element.
template <typename F>
void for_each_index(const Dims& dims, F&& f) {
  Dims index(dims.size(), 0);
  std::int64_t count = 1;
  for (const std::int64_t extent : dims) count *= extent;
  for (std::int64_t i = 0; i < count; ++i) {
    f(i, index);
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      if (++index[axis] < dims[axis]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace cuda_double
