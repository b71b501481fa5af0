#pragma once

#include <istream>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/ops/conv_cudnn.h"

namespace skiff::cuda {

/// Convolutions as text, a line each under a line with the network's name: so that another
/// processor's cuDNN can be asked about them.
using NetworkPlans = std::map<std::string, std::vector<ConvPlan>>;
void write_plans(std::ostream& out, const NetworkPlans& plans);
NetworkPlans read_plans(std::istream& in);

/// What convolutions are computed in.
struct Arithmetic {
  const char* name;
  DType dtype;
  bool tf32 = false;
};
inline constexpr Arithmetic kArithmetics[] = {{"float32", DType::float32},
                                              {"tf32", DType::float32, true},
                                              {"float16", DType::float16},
                                              {"bfloat16", DType::bfloat16}};

/// How many convolutions have what.
struct Support {
  int fused[3] = {};     ///< an engine of cuDNN, by Fusion
  int tensor_cores = 0;  ///< of these, on tensor cores
  int left_out = 0;      ///< of 16-bit ones of one group, cuDNN's without tensor cores
  int own = 0;           ///< our kernel on tensor cores
  int slow = 0;          ///< the kernel for everything
};

/// Asks cuDNN for every convolution and prints a row a network; below them, each kind of
/// convolution without an engine and what computes it. Gives the sum of all networks.
Support print_support(const char* device, const cudnn::Target& target, const Arithmetic& arithmetic,
                      const NetworkPlans& plans);

}  // namespace skiff::cuda
