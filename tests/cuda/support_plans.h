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

/// Asks cuDNN for every convolution, prints a row a network (how many have an engine that does all,
/// all but the activation, the convolution alone, none and our kernel on tensor cores, none at all)
/// and gives the number of the last.
int print_support(const char* device, const cudnn::Target& target, DType dtype,
                  const NetworkPlans& plans);

}  // namespace skiff::cuda
