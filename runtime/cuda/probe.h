#pragma once

namespace skiff::cuda {

/// Whether GPU `ordinal` can be used at all: driver, device, cuDNN with its parts and of a version
/// that goes with the one compiled against, kernels compiled for it. Throws Error{device} with one
/// sentence that says what is missing and how to get it.
void probe(int ordinal);

}  // namespace skiff::cuda
